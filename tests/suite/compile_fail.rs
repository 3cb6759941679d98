//! Misuses of the macros: each is an error at the token that is wrong, which says what to write instead.

#[test]
fn every_misuse_is_an_error_at_its_token() {
    trybuild::TestCases::new().compile_fail("compile-fail/*.rs");
}
