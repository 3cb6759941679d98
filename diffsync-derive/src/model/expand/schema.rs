//! What is known of a model without a record of it.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::links::Parent;
use crate::model::ast::{Model, Role};

pub(super) fn schema(model: &Model<'_>) -> TokenStream {
    let schema = quote!(::diffsync_core::schema);
    let (name, type_name, description) = (&model.name, model.ident.unraw().to_string(), &model.description);
    let fields = |role| {
        let fields = model.with_role(role).map(|field| {
            let (name, description, ty) = (field.name(), &field.description, type_text(field.ty));
            quote! {
                #schema::FieldSchema {
                    name: #name,
                    description: #description,
                    type_name: #ty,
                    comparison: #schema::Comparison::Equal,
                    when_some: false,
                    create_only: false,
                    deferred: false,
                }
            }
        });
        quote!(&[#(#fields),*])
    };
    let (identifiers, attributes, locals) = (fields(Role::Identifier), fields(Role::Attribute), fields(Role::Local));
    let links = Parent::of(model).map(|parent| {
        let (model, fields) = (&parent.model, parent.fields());
        let name = quote_spanned!(model.span()=> <#model as ::diffsync_core::SyncModel>::NAME);
        quote! {
            #schema::LinkSchema {
                kind: #schema::LinkKind::Parent,
                model: #name,
                fields: &[#(#fields),*],
            }
        }
    });
    quote! {
        #schema::ModelSchema {
            name: #name,
            type_name: #type_name,
            description: #description,
            identifiers: #identifiers,
            attributes: #attributes,
            locals: #locals,
            links: &[#links],
            after: &[],
            flags: ::diffsync_core::Flags::empty(),
            deletes_first: false,
            limits: ::diffsync_core::Limits::NONE,
        }
    }
}

/// A type as the user wrote it: printing tokens puts spaces between all of them.
fn type_text(ty: &Type) -> String {
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
