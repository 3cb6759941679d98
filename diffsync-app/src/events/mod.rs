//! The event stream of a run: one JSON object a line.
//!
//! Scripts read it from `run JOB --output jsonl`, and the host of a job program from the program's standard output. Each line is
//! a [`StreamEvent`], and the first one of a run says the version of the stream.

mod event;
mod lines;
mod message;
mod stream;
mod writer;

pub use self::event::{STREAM, StreamBreach, StreamError, StreamEvent};
pub(crate) use self::lines::StreamLayer;
pub(crate) use self::stream::EventStream;
