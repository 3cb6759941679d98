//! Whether another process still runs, which only the machine that it runs on can tell.

use std::fs;
use std::path::Path;

/// The part of a machine in which process numbers are unique: this start of its kernel, and the container. Empty where that
/// cannot be told, and then no process is taken for dead.
pub(crate) fn place() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let container = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    // Where other users' processes are hidden, the first one is, and a process that is not seen may run.
    let sees_others = Path::new("/proc/1").exists();
    if boot.is_empty() || container.as_os_str().is_empty() || !sees_others {
        return String::new();
    }
    format!("{} {}", boot.trim(), container.display())
}

/// The place of a process whose child does its work, which may go on when the process itself is killed.
pub(crate) fn place_with(child: Option<u32>) -> String {
    match (place(), child) {
        (place, Some(child)) if !place.is_empty() => format!("{place}{CHILD}{child}"),
        (place, _) => place,
    }
}

/// What comes between a place and the number of a child. A version that does not know it takes none of them for dead.
const CHILD: &str = " +";

/// Whether a process of a place has surely ended, and its child. A number may have been given to another one since, so `false` says
/// nothing.
pub(crate) fn has_ended(place_of_it: &str, pid: u32) -> bool {
    let is_gone = |pid: u32| !Path::new(&format!("/proc/{pid}")).exists();
    let (place_of_it, is_child_gone) = match place_of_it.rsplit_once(CHILD) {
        Some((place, child)) => (place, child.parse().is_ok_and(is_gone)),
        None => (place_of_it, true),
    };
    !place_of_it.is_empty() && place_of_it == place() && is_gone(pid) && is_child_gone
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_of_this_machine_is_known_to_have_ended() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        assert!(!has_ended(&place(), child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(has_ended(&place(), child.id()));
        assert!(has_ended(&place_with(Some(child.id())), child.id()));
        assert!(!has_ended(&place_with(Some(std::process::id())), child.id()), "its child still works");
        assert!(!has_ended("another machine", child.id()));
        assert!(!has_ended("", child.id()));
    }
}
