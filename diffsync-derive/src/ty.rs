//! What can be told of a type by how it is written.

use syn::{GenericArgument, PathArguments, Type, TypeReference};

/// Whether a type is `Self`.
pub(crate) fn is_self(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("Self"))
}

/// Whether a type is written as a floating-point number, or as an `Option` of one.
pub(crate) fn is_float(ty: &Type) -> bool {
    let ty = option(ty).unwrap_or(ty);
    last_segment(ty).is_some_and(|segment| segment.ident == "f32" || segment.ident == "f64")
}

/// Whether a type is written `String`, with or without its path.
pub(crate) fn is_string(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == "String" && segment.arguments.is_empty())
}

/// Whether a type is written as a list or a set, or as an `Option` of one.
pub(crate) fn is_list(ty: &Type) -> bool {
    let segment = last_segment(option(ty).unwrap_or(ty));
    segment.is_some_and(|segment| ["Vec", "BTreeSet", "HashSet"].iter().any(|list| segment.ident == list))
}

/// Whether a value of the type can name nothing.
pub(crate) fn can_be_empty(ty: &Type) -> bool {
    option(ty).is_some() || is_list(ty)
}

/// The reference in a type that is one, or that holds one where its arguments say so.
pub(crate) fn reference(ty: &Type) -> Option<&TypeReference> {
    match ty {
        Type::Reference(reference) => Some(reference),
        Type::Path(path) => path.path.segments.iter().find_map(|segment| match &segment.arguments {
            PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(ty) => reference(ty),
                _ => None,
            }),
            _ => None,
        }),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(reference),
        _ => None,
    }
}

/// What an `Option` holds, if a type is written as one.
pub(crate) fn option(ty: &Type) -> Option<&Type> {
    argument(ty, "Option")
}

/// What a `Secret` holds, if a type is written as one.
pub(crate) fn secret(ty: &Type) -> Option<&Type> {
    argument(ty, "Secret")
}

/// What a generic type of this name holds.
pub(crate) fn argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == name)?;
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) if arguments.args.len() == 1 => match arguments.args.first()? {
            GenericArgument::Type(inner) => Some(inner),
            _ => None,
        },
        _ => None,
    }
}

fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}
