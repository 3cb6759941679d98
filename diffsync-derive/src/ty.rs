//! Properties of a type that are known from how it is written.

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

/// Whether a type is a text or a number of the language or the standard library, or an `Option` or a `Vec` of such.
///
/// Such a type satisfies the bounds of every role, so the code for it need not state them.
pub(crate) fn is_plain(ty: &Type) -> bool {
    if let Some(inner) = argument(ty, "Option").or_else(|| argument(ty, "Vec")) {
        return is_plain(inner);
    }

    // Only the bare name: a `String` of another module need not satisfy the bounds.
    is_copied(ty) || matches!(ty, Type::Path(path) if path.path.is_ident("String"))
}

/// Whether a plain type is copied with its bits.
pub(crate) fn is_copied(ty: &Type) -> bool {
    const NAMES: [&str; 16] = [
        "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32",
        "f64",
    ];
    match ty {
        Type::Path(path) if path.qself.is_none() => {
            path.path.get_ident().is_some_and(|ident| NAMES.iter().any(|name| ident == name))
                || argument(ty, "Option").is_some_and(is_copied)
        }
        _ => false,
    }
}

/// Whether a plain type holds floating-point numbers.
pub(crate) fn holds_floats(ty: &Type) -> bool {
    let inner = argument(ty, "Option").or_else(|| argument(ty, "Vec"));
    inner.map_or_else(|| is_float(ty), holds_floats)
}

/// Whether a type is written as a list or a set, or as an `Option` of one.
pub(crate) fn is_list(ty: &Type) -> bool {
    let segment = last_segment(option(ty).unwrap_or(ty));
    segment.is_some_and(|segment| ["Vec", "BTreeSet", "HashSet"].iter().any(|list| segment.ident == list))
}

/// The element type, if a type is written as a list or a set, or as an `Option` of one.
#[cfg(feature = "rest")]
pub(crate) fn element(ty: &Type) -> Option<&Type> {
    let ty = option(ty).unwrap_or(ty);
    ["Vec", "BTreeSet", "HashSet"].into_iter().find_map(|list| argument(ty, list))
}

/// Whether a value of the type can be empty: an `Option` or a list.
pub(crate) fn can_be_empty(ty: &Type) -> bool {
    option(ty).is_some() || is_list(ty)
}

/// The reference in a type: the type itself, or one among its generic arguments.
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

/// The type in an `Option`, if a type is written as one.
pub(crate) fn option(ty: &Type) -> Option<&Type> {
    argument(ty, "Option")
}

/// The type in a `Secret`, if a type is written as one.
pub(crate) fn secret(ty: &Type) -> Option<&Type> {
    argument(ty, "Secret")
}

/// The argument of a generic type of this name.
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
        // The last word of `<T as Trait>::Option` is an associated type, which can be anything.
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}
