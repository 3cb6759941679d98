//! Pages of lists, as a command asks for them and shows them.

use clap::ArgMatches;
use diffsync_history::{Cursor, PageRequest};

/// The version of the documents that `history` prints. It grows with every change that a reader must know of.
pub(super) const VERSION: u32 = 1;

/// The page that a command is asked for.
pub(super) fn page(matches: &ArgMatches) -> PageRequest {
    let size = matches.get_one::<u32>("limit").copied().unwrap_or(100);
    PageRequest { after: matches.get_one::<Cursor>("after").copied(), size }
}

/// A text given to a command.
pub(super) fn text(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.get_one::<String>(name).cloned()
}

/// How the next page is shown.
pub(super) fn next_page(next: Option<Cursor>) -> String {
    next.map(|cursor| format!("more: --after {cursor}\n")).unwrap_or_default()
}
