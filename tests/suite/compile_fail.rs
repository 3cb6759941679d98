//! Misuses of the macros: each is an error at the token that is wrong, which says what to write instead.

#[test]
fn every_misuse_is_an_error_at_its_token() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("compile-fail/*.rs");
    // Those of the adapters' derives, a folder each.
    cases.compile_fail("compile-fail/*/*.rs");
}
