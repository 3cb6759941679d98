//! What is known of a model without a record of it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::{comparison, name};
use crate::model::ast::{LinkKind, Model, Role};
use crate::model::validate;

pub(super) fn schema(model: &Model<'_>) -> TokenStream {
    let schema = quote!(_diffsync::schema);
    let (name, type_name, description) = (&model.name, model.ident.unraw().to_string(), &model.description);
    let fields = |role| {
        let fields = model.with_role(role).map(|field| {
            let (name, description, ty) = (&field.name, &field.description, type_text(field.ty));
            let comparison = comparison::schema(field);

            // A field of a deferred reference is itself deferred only if nothing else needs it at once.
            let mut left_out = model.links.iter().flat_map(|link| validate::reset(model, link, &model.links));
            let deferred = left_out.any(|other| other.ident == field.ident);
            let (when_some, create_only) = (field.when_some.is_some(), field.create_only.is_some());
            quote! {
                #schema::FieldSchema {
                    name: #name,
                    description: #description,
                    type_name: #ty,
                    comparison: #schema::Comparison::#comparison,
                    when_some: #when_some,
                    create_only: #create_only,
                    deferred: #deferred,
                }
            }
        });
        quote!(&[#(#fields),*])
    };

    let (identifiers, attributes, locals) = (fields(Role::Identifier), fields(Role::Attribute), fields(Role::Local));
    let name_of = |ty: &Type| quote_spanned!(ty.span()=> <#ty as _diffsync::SyncModel>::NAME);
    let links = model.links.iter().map(|link| {
        let kind = match &link.kind {
            LinkKind::Parent => quote!(Parent),
            LinkKind::Reference { deferred } => {
                let deferred = deferred.is_some();
                quote!(Reference { deferred: #deferred })
            }
        };
        let name = name_of(&name::resolved(model, &link.model));
        let fields = link.fields().filter_map(|mine| Some(&model.field(mine)?.name));
        quote! {
            #schema::LinkSchema {
                kind: #schema::LinkKind::#kind,
                model: #name,
                fields: &[#(#fields),*],
            }
        }
    });

    let after = model.after.iter().map(name_of);
    let flags = flags(model);
    let deletes_first = model.deletes_first;
    let limits = model.limits.expand();

    quote! {
        #schema::ModelSchema {
            name: #name,
            type_name: #type_name,
            description: #description,
            identifiers: #identifiers,
            attributes: #attributes,
            locals: #locals,
            links: &[#(#links),*],
            after: &[#(#after),*],
            flags: #flags,
            deletes_first: #deletes_first,
            limits: #limits,
        }
    }
}

fn flags(model: &Model<'_>) -> TokenStream {
    let mut flags = model.flags.iter().map(|flag| {
        let constant = Ident::new(&flag.to_string().to_uppercase(), Span::call_site());
        quote!(_diffsync::model::Flags::#constant)
    });

    let first = flags.next().unwrap_or_else(|| quote!(_diffsync::model::Flags::empty()));

    // `union`, since `|` cannot be called in a constant.
    quote!(#first #(.union(#flags))*)
}

/// A type as the user wrote it: printing tokens puts spaces between all of them.
fn type_text(ty: &Type) -> String {
    // For example, `Option < & 'static str >` becomes `Option<&'static str>`.
    let printed: Vec<char> = ty.to_token_stream().to_string().chars().collect();
    let is_word =
        |letter: Option<&char>| letter.is_some_and(|letter| letter.is_alphanumeric() || "_'".contains(*letter));
    let is_spaced = |letter: Option<&char>| letter.is_some_and(|letter| "+=-".contains(*letter));
    let is_needed = |at: usize| {
        let (before, after) = (at.checked_sub(1).and_then(|before| printed.get(before)), printed.get(at + 1));
        let ends_item = before.is_some_and(|before| ",;".contains(*before));
        let separates_words = is_word(before) && is_word(after);
        ends_item || separates_words || is_spaced(before) || is_spaced(after) || before == Some(&'>') && is_word(after)
    };

    let kept = printed.iter().enumerate().filter(|(at, letter)| **letter != ' ' || is_needed(*at));
    kept.map(|(_, letter)| letter).collect()
}
