//! Who runs the program, and what it is called.

use clap::ArgMatches;
use diffsync_core::plan_file::Signature;
use jiff::Timestamp;

/// The signature of the user who runs the program, or of `--by`.
pub(crate) fn signature(matches: &ArgMatches) -> Signature {
    let by = matches.get_one::<String>("by").cloned().unwrap_or_else(user);

    let now = Timestamp::now();
    // Seconds are precise enough for a review.
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    Signature { by, at: now.to_string() }
}

/// The user who runs the program.
pub(crate) fn user() -> String {
    let from_env = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    from_env.or_else(|| whoami::username().ok()).unwrap_or_else(|| "unknown".to_owned())
}

/// What the program is called.
pub(crate) fn program_name() -> String {
    let program = std::env::current_exe().ok();
    let name = program.as_deref().and_then(|path| path.file_stem()).and_then(|name| name.to_str());
    name.unwrap_or("diffsync").to_owned()
}
