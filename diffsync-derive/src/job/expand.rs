//! The code of a job. It names everything by its absolute path.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::ast::{Job, Kind, Variable};
use crate::place::place;

/// `failed` says that errors were found: the job is then not registered, so that it need not be complete.
pub(crate) fn expand(job: &Job<'_>, failed: bool) -> TokenStream {
    let ident = job.ident;
    let (source, target) = (&job.source, &job.target);
    // The bounds on the adapters are reported at the types that the user gave. The data set is the target's: so a target
    // that lacks a model is reported at `target`, and a source that loads another data set at `source`.
    let data_type = quote_spanned!(target.span()=> type Data = <#target as ::diffsync_core::Adapter>::Data;);
    let source_type = quote_spanned!(source.span()=> type Source = #source;);
    let target_type = quote_spanned!(target.span()=> type Target = #target;);
    let info = info(job);
    let specs = job.variables.iter().map(spec);
    let names = job.variables.iter().map(|variable| {
        let (name, span) = (variable.ident.unraw().to_string(), variable.ident.span());
        quote_spanned!(span=> const _: () = ::diffsync_core::schema::check_variable(#name);)
    });
    let defaults = job.variables.iter().filter(|variable| variable.default.is_some()).map(|variable| {
        let ty = variable.ty;
        quote_spanned! {place(ty)=>
            const _: () = ::diffsync_core::schema::check_default(<#ty as ::diffsync_core::Variable>::SECRET);
        }
    });
    let from_variables = from_variables(job);
    let shown = job.variables.iter().map(|variable| {
        let (ty, mut ident) = (variable.ty, variable.ident.clone());
        ident.set_span(place(ty));
        quote_spanned!(place(ty)=> <#ty as ::diffsync_core::Variable>::show(&self.#ident))
    });
    let registration = (!failed).then(|| {
        quote_spanned! {ident.span()=>
            ::diffsync_core::__private::inventory::submit! { ::diffsync_core::JobEntry::of::<#ident>() }
        }
    });
    quote! {
        const _: () = {
            #(#names)*
            #(#defaults)*

            #[automatically_derived]
            impl ::diffsync_core::JobSpec for #ident {
                #data_type
                #source_type
                #target_type

                const INFO: ::diffsync_core::JobInfo = #info;
                const VARIABLES: &'static [::diffsync_core::VariableSpec] = &[#(#specs),*];

                #from_variables

                fn variable_values(&self) -> ::std::vec::Vec<(
                    &'static ::diffsync_core::VariableSpec,
                    ::diffsync_core::__private::serde_json::Value,
                )> {
                    let values: ::std::vec::Vec<::diffsync_core::__private::serde_json::Value> =
                        ::std::vec![#(#shown),*];
                    ::core::iter::Iterator::collect(::core::iter::Iterator::filter(
                        ::core::iter::Iterator::zip(Self::VARIABLES.iter(), values),
                        |(spec, _)| !spec.secret,
                    ))
                }
            }

            #registration
        };
    }
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
    quote! {
        ::diffsync_core::JobInfo {
            id: #id,
            name: #name,
            description: #description,
            kind: ::diffsync_core::JobKind::#kind,
            source_label: #source_label,
            target_label: #target_label,
            source_icon: #source_icon,
            target_icon: #target_icon,
            dryrun_default: #dryrun_default,
            hidden: #hidden,
            concurrency: #concurrency,
            limits: ::diffsync_core::Limits::NONE,
            on_guard: ::diffsync_core::OnGuard::Stop,
            time_limit: ::core::option::Option::None,
            skip: &[],
            ignore: &[],
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
    let default = optional(variable.default.as_ref());
    let env = optional(variable.env.as_ref());
    let group = optional(variable.group.as_ref());
    quote_spanned! {ty.span()=>
        ::diffsync_core::VariableSpec {
            name: #name,
            help: #help,
            kind: <#ty as ::diffsync_core::Variable>::KIND,
            required: <#ty as ::diffsync_core::Variable>::REQUIRED && !#has_default,
            secret: <#ty as ::diffsync_core::Variable>::SECRET,
            default: #default,
            env: #env,
            group: #group,
        }
    }
}

fn from_variables(job: &Job<'_>) -> TokenStream {
    let result = quote!(::core::result::Result<Self, ::diffsync_core::VariableErrors>);
    if job.variables.is_empty() {
        return quote! {
            fn from_variables(_: &::diffsync_core::VariableValues) -> #result {
                ::core::result::Result::Ok(Self {})
            }
        };
    }
    let idents: Vec<_> = job.variables.iter().map(|variable| variable.ident).collect();
    let reads = job.variables.iter().map(|variable| {
        let ty = variable.ty;
        quote_spanned!(place(ty)=> <#ty as ::diffsync_core::Variable>::read(&mut reader))
    });
    let locals: Vec<_> = (0..idents.len()).map(|position| format_ident!("value_{}", position)).collect();
    quote! {
        fn from_variables(values: &::diffsync_core::VariableValues) -> #result {
            let mut reader = ::diffsync_core::VariableReader::new(Self::VARIABLES, values);
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
