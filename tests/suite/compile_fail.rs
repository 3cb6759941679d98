//! Misuses of the macros: each is an error at the token that is wrong, which says what to write instead.
