//! What `FileModel` makes of its input.

use quote::quote;

use super::{errors, pretty};
use crate::krate::ImportedFrom;

#[test]
fn a_model_that_is_kept_in_a_file() {
    let expanded = crate::file::derive(
        ImportedFrom::Part,
        quote! {
            #[file(path = "ports.txt", format = csv, delimiter = ';')]
            pub struct Port {
                #[sync(id)]
                pub device: String,
                #[sync(id)]
                #[file(rename = "Port name")]
                pub name: String,
                #[sync(rename = "port type")]
                r#type: Kind,
                #[sync(local)]
                row: Option<i64>,
                community: Option<Secret<String>>,
            }
        },
    );
    insta::assert_snapshot!("a_model_that_is_kept_in_a_file", pretty(expanded));
}

/// The file, the format and the list that a declaration leads to.
fn kept(declaration: &proc_macro2::TokenStream) -> String {
    let expanded = crate::file::derive(
        ImportedFrom::Part,
        quote! {
            #[file(#declaration)]
            struct DeviceType {
                #[sync(id)]
                name: String,
            }
        },
    );
    let code = expanded.to_string();
    let part = code.split("FileSchema { ").nth(1).and_then(|schema| schema.split(", delimiter").next());
    part.unwrap_or(&code).replace(' ', "")
}

#[test]
fn what_is_not_said_of_a_file_follows() {
    let expected = |path, format, list| {
        format!(
            "path:\"{path}\",format:_adapters::__private::file::Format::{format},list:::core::option::Option::{list}"
        )
    };
    let check = |declaration, expected: String| assert_eq!(kept(&declaration), expected);
    check(quote!(path = "a/b.TSV"), expected("a/b.TSV", "Csv", "None"));
    check(quote!(format = json_lines), expected("device_type.jsonl", "JsonLines", "None"));
    check(quote!(path = "types.toml"), expected("types.toml", "Toml", "Some(\"device_type\")"));
    check(quote!(path = "types.json", list = "types"), expected("types.json", "Json", "Some(\"types\")"));
}

#[test]
fn all_that_is_wrong_with_a_model_that_is_kept_in_a_file_is_said() {
    let model = |declaration| {
        errors(&crate::file::derive(
            ImportedFrom::Part,
            quote! {
                #declaration
                struct Port {
                    #[sync(id)]
                    #[file(renam = "x")]
                    device: String,
                    #[file(rename = "device", path = "x")]
                    name: String,
                    #[file(rename = "")]
                    speed: u8,
                    #[sync(local)]
                    #[file(rename = "line")]
                    row: u8,
                }
            },
        ))
    };
    let said = [
        model(quote!(#[file(pth = "x.csv", path = "../x.csv")])),
        model(quote!(#[file(path = "/x.csv", rename = "y")])),
        model(quote!(#[file(path = "x.txt")])),
        model(quote!(#[file(path = "x.csv", format = cvs, list = "y", delimiter = '"')])),
        model(quote!(#[file(path = "x.json", list = "", delimiter = ',')])),
        model(quote!()),
    ];
    insta::assert_snapshot!("all_that_is_wrong_with_a_model_that_is_kept_in_a_file_is_said", said.join("\n"));
}

#[test]
fn what_is_no_model_is_reported_by_the_model_only() {
    let expanded = crate::file::derive(
        ImportedFrom::Part,
        quote! {
            #[file(path = "x.csv")]
            #[sync(nmae = "x")]
            struct Port {
                #[sync(id)]
                device: String,
            }
        },
    );
    assert_eq!(errors(&expanded), "");
}
