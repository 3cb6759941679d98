//! How far a run has come: bars on a terminal, and elsewhere a line now and then.

mod bars;
mod lines;
mod rate;

use std::sync::Arc;

use clap::ArgMatches;
use diffsync_core::report::Observer;

use self::bars::Bars;
use self::lines::Lines;
use crate::flags::{Output, is_set, output_of};
use crate::terminal;

/// What shows the progress of a run, if anything does.
pub(crate) fn progress(matches: &ArgMatches) -> Option<Arc<dyn Observer>> {
    let is_verbose = matches.get_count("verbose") > 0;
    let output = output_of(matches);
    let (stdout, stderr) = terminal::are_terminals();
    if is_set(matches, "quiet") {
        return None;
    }

    // A log between the bars, or a stream that is printed while they are drawn, would leave neither readable.
    let has_others = is_verbose || terminal::logs_json() || (stdout && output == Output::JsonLines);
    if stderr && !has_others {
        return Some(Arc::new(Bars::new()));
    }
    // A program that reads a document is told nothing that it did not ask for.
    let is_wanted = is_verbose || output == Output::Text;
    is_wanted.then(|| Arc::new(Lines::start()) as Arc<dyn Observer>)
}
