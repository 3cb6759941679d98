//! The code of a job. It names everything by its absolute path, and the core by the alias that `Krate` makes.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::ast::{DefaultText, Ignored, Job, Kind, OnGuard, Variable};
use crate::krate::Krate;
use crate::span::{call_site, last};

/// Where errors were found (`failed`), the job is not registered, as it may be incomplete.
pub(crate) fn expand(job: &Job<'_>, krate: &Krate, failed: bool) -> TokenStream {
    let ident = job.ident;
    let (source, target) = (&job.source, &job.target);
    // The bounds on the adapters are reported at the types that the user gave. The data set is the target's: so a target
    // that lacks a model is reported at `target`, and a source that loads another data set at `source`.
    // The path begins and ends where the target's type does, so that a type that is not an adapter is reported once for both.
    let begin = quote_spanned!(target.span()=> <);
    let end = quote_spanned!(last(target)=> as _diffsync::Adapter>::Data);
    let data_type = quote!(type Data = #begin #target #end;);
    let source_type = quote_spanned!(source.span()=> type Source = #source;);
    let target_type = quote_spanned!(target.span()=> type Target = #target;);
    let info = info(job);
    let specs = job.variables.iter().map(spec);

    // The core knows which names a run's own flags take, so it checks them, in constants.
    let names = job.variables.iter().map(|variable| {
        let (name, span) = (variable.ident.unraw().to_string(), variable.ident.span());
        quote_spanned!(span=> const _: () = _diffsync::schema::check_variable(#name);)
    });

    let defaults = job.variables.iter().filter_map(|variable| {
        let (ty, DefaultText { text, span }) = (variable.ty, variable.default.as_ref()?);

        // The parser knows `Secret` by name only; the type also tells of an alias.
        let is_secret = quote_spanned! {call_site(ty)=>
            const _: () = _diffsync::schema::check_default(<#ty as _diffsync::job::Variable>::SECRET);
        };
        let choice = quote_spanned! {*span=>
            const _: () = _diffsync::schema::check_choice(<#ty as _diffsync::job::Variable>::KIND, #text);
        };
        let of_its_type = quote_spanned! {*span=>
            const _: () = _diffsync::schema::check_default_text(
                <#ty as _diffsync::job::Variable>::KIND,
                <#ty as _diffsync::job::Variable>::RANGE,
                #text,
            );
        };
        Some(quote!(#is_secret #choice #of_its_type))
    });

    let schemas = quote!(<<#ident as _diffsync::job::JobSpec>::Data as _diffsync::Dataset>::SCHEMAS);

    // A macro does not see the models of the data set, so the compiler checks these in constants.
    let skipped = job.skip.iter().map(|model| {
        quote_spanned! {model.span()=>
            const _: () = _diffsync::schema::check_skipped(#schemas, <#model as _diffsync::SyncModel>::NAME);
        }
    });

    let ignored = job.ignore.iter().map(|ignored| {
        let (model, attribute) = (ignored.model(), ignored.attribute());
        quote_spanned! {ignored.span()=>
            const _: () = _diffsync::schema::check_ignored(#schemas, #model, #attribute);
        }
    });

    // The bound on `Source` says only that two types differ; this one says what to do about it.
    let same_data = quote_spanned! {source.span()=>
        const _: fn() = || {
            // The function of `AdapterPair` is found before that of this trait, and exists only for adapters.
            #[allow(unused_imports, reason = "only what is not an adapter needs it")]
            use _diffsync::__private::NoAdapters as _;

            _diffsync::__private::AdapterPair::<#source, #target>::check_same_data();
        };
    };

    let from_variables = from_variables(job);
    let choices = choices(job);
    let shown = job.variables.iter().map(|variable| {
        let (ty, mut ident) = (variable.ty, variable.ident.clone());
        ident.set_span(call_site(ty));
        quote_spanned!(call_site(ty)=> <#ty as _diffsync::job::Variable>::show(&self.#ident))
    });

    // At the struct's name, where a missing `impl Job` is reported.
    let registration = (!failed).then(|| {
        quote_spanned! {ident.span()=>
            _diffsync::__private::inventory::submit! { _diffsync::job::JobEntry::new::<#ident>() }
        }
    });

    krate.scope(&quote! {
        #(#names)*
        #(#defaults)*
        #(#skipped)*
        #(#ignored)*
        #same_data

        #[automatically_derived]
        impl _diffsync::job::JobSpec for #ident {
            #data_type
            #source_type
            #target_type

            const INFO: _diffsync::job::JobInfo = #info;
            const VARIABLES: &'static [_diffsync::job::VariableSpec] = &[#(#specs),*];

            #from_variables

            #choices

            fn variable_values(&self) -> ::std::vec::Vec<(
                &'static _diffsync::job::VariableSpec,
                _diffsync::__private::serde_json::Value,
            )> {
                let values: ::std::vec::Vec<_diffsync::__private::serde_json::Value> =
                    ::std::vec![#(#shown),*];
                ::core::iter::Iterator::collect(::core::iter::Iterator::filter(
                    ::core::iter::Iterator::zip(Self::VARIABLES.iter(), values),
                    |(spec, _)| !spec.secret,
                ))
            }
        }

        #registration
    })
}

fn info(job: &Job<'_>) -> TokenStream {
    let Job { id, name, description, source_label, target_label, dryrun_default, hidden, .. } = job;
    let kind = match job.kind {
        Kind::DataSource => quote!(DataSource),
        Kind::DataTarget => quote!(DataTarget),
    };

    let source_icon = optional(job.source_icon.as_ref());
    let target_icon = optional(job.target_icon.as_ref());
    let concurrency = optional(job.concurrency.map(Literal::usize_suffixed).as_ref());
    let limits = job.limits.expand();
    let on_guard = match job.on_guard {
        OnGuard::Stop => quote!(Stop),
        OnGuard::Hold => quote!(Hold),
    };

    let time_limit =
        optional(job.time_limit.map(|seconds| quote!(::core::time::Duration::from_secs(#seconds))).as_ref());
    let skip = job.skip.iter().map(|model| quote_spanned!(model.span()=> <#model as _diffsync::SyncModel>::NAME));
    let ignored_models = job.ignore.iter().map(Ignored::model);
    let ignored_attributes = job.ignore.iter().map(Ignored::attribute);

    quote! {
        _diffsync::job::JobInfo {
            id: #id,
            name: #name,
            description: #description,
            kind: _diffsync::job::JobKind::#kind,
            source_label: #source_label,
            target_label: #target_label,
            source_icon: #source_icon,
            target_icon: #target_icon,
            dryrun_default: #dryrun_default,
            hidden: #hidden,
            concurrency: #concurrency,
            limits: #limits,
            on_guard: _diffsync::model::OnGuard::#on_guard,
            time_limit: #time_limit,
            skip: &[#(#skip),*],
            ignore: &[#((#ignored_models, #ignored_attributes)),*],
            // Expands to the place of `#[job]` in the user's file.
            defined_at: ::core::concat!(::core::file!(), ":", ::core::line!()),
        }
    }
}

fn optional<T: quote::ToTokens>(value: Option<&T>) -> TokenStream {
    value.map_or_else(|| quote!(::core::option::Option::None), |value| quote!(::core::option::Option::Some(#value)))
}

fn spec(variable: &Variable<'_>) -> TokenStream {
    let (name, help, ty) = (variable.ident.unraw().to_string(), &variable.help, variable.ty);
    let has_default = variable.default.is_some();
    let has_choices = variable.choices.is_some();
    let default = optional(variable.default.as_ref().map(|default| &default.text));
    let env = optional(variable.env.as_ref());
    let group = optional(variable.group.as_ref());

    quote_spanned! {ty.span()=>
        _diffsync::job::VariableSpec {
            name: #name,
            help: #help,
            kind: <#ty as _diffsync::job::Variable>::KIND,
            required: <#ty as _diffsync::job::Variable>::REQUIRED && !#has_default,
            secret: <#ty as _diffsync::job::Variable>::SECRET,
            default: #default,
            env: #env,
            group: #group,
            has_choices: #has_choices,
        }
    }
}

/// The choices of the variables that have a function for them.
fn choices(job: &Job<'_>) -> Option<TokenStream> {
    let arms: Vec<_> = job
        .variables
        .iter()
        .filter_map(|variable| {
            let (name, path) = (variable.ident.unraw().to_string(), variable.choices.as_ref()?);
            let choices = quote_spanned!(call_site(path)=> _diffsync::__private::choices(#path(values)));
            Some(quote!(#name => ::core::option::Option::Some(#choices),))
        })
        .collect();
    (!arms.is_empty()).then(|| {
        quote! {
            fn choices<'values>(
                variable: &str,
                values: &'values _diffsync::job::VariableValues,
            ) -> ::core::option::Option<_diffsync::job::Choices<'values>> {
                match variable {
                    #(#arms)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    })
}

fn from_variables(job: &Job<'_>) -> TokenStream {
    let result = quote!(::core::result::Result<Self, _diffsync::job::VariableErrors>);
    if job.variables.is_empty() {
        return quote! {
            fn from_variables(_: &_diffsync::job::VariableValues) -> #result {
                // Fits a unit struct as well.
                ::core::result::Result::Ok(Self {})
            }
        };
    }

    let idents: Vec<_> = job.variables.iter().map(|variable| variable.ident).collect();
    let reads = job.variables.iter().map(|variable| {
        let ty = variable.ty;
        quote_spanned!(call_site(ty)=> <#ty as _diffsync::job::Variable>::read(&mut reader))
    });

    // All are read before any is used, so that all errors are collected. A variable may be called `reader`, so the
    // locals do not have the variables' names.
    let locals: Vec<_> = (0..idents.len()).map(|position| format_ident!("value_{}", position)).collect();
    quote! {
        fn from_variables(values: &_diffsync::job::VariableValues) -> #result {
            let mut reader = _diffsync::job::VariableReader::new(Self::VARIABLES, values);
            #(let #locals = #reads;)*
            match (#(#locals,)*) {
                (#(::core::option::Option::Some(#locals),)*) => {
                    ::core::result::Result::Ok(Self { #(#idents: #locals),* })
                }
                _ => ::core::result::Result::Err(reader.into_errors()),
            }
        }
    }
}
