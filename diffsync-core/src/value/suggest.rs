//! The name that was probably meant.

/// The known name that was probably meant, if one is similar enough.
///
/// ```
/// use diffsync_core::value::suggest;
///
/// assert_eq!(suggest("nmae", ["id", "name"]), Some("name"));
/// assert_eq!(suggest("vlan", ["id", "name"]), None);
/// ```
#[doc(hidden)]
#[must_use]
pub fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .filter(|(similarity, _)| *similarity > 0.7)
        .map(|(_, nearest)| nearest)
}
