//! Nautobot.
