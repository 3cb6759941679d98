//! The signature of a plan file.

use clap::ArgMatches;
use diffsync_core::plan_file::Signature;
use jiff::Timestamp;

/// The signature of the user who runs the program, or of `--by`.
pub(crate) fn signature(matches: &ArgMatches) -> Signature {
    let named = matches.get_one::<String>("by").cloned();
    let from_env =
        || ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    let by = named.or_else(from_env).or_else(|| whoami::username().ok()).unwrap_or_else(|| "unknown".to_owned());

    let now = Timestamp::now();
    // Seconds are precise enough for a review.
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    Signature { by, at: now.to_string() }
}
