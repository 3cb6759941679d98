//! The queue between a run and the thread that writes.
//!
//! The thread takes all that waits at once, four times a second or when there is enough for a batch. So a record costs the run
//! one short lock, and neither side wakes the other for each.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use diffsync_core::plan::RecordRef;

use super::message::Message;

/// How much memory the messages take that wait, without their texts. A run that is faster than the database waits once it is
/// as much.
const CAPACITY: usize = 8 << 20;

/// The thread is woken for as many records and other messages.
const ENOUGH: usize = 5_000;

/// The sending side of a queue.
pub(super) struct Sender(Arc<Queue>);

/// The receiving side of a queue.
pub(super) struct Receiver(Arc<Queue>);

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    /// There is enough to write, something urgent, or nothing more to come.
    is_filled: Condvar,
    /// There is room again, or the receiver is gone.
    is_emptied: Condvar,
}

#[derive(Default)]
struct State {
    messages: Vec<Message>,
    /// How much memory they take.
    bytes: usize,
    /// How many records and other messages they are.
    count: usize,
    is_urgent: bool,
    has_sender: bool,
    has_receiver: bool,
}

/// A new queue.
pub(super) fn queue() -> (Sender, Receiver) {
    let queue = Arc::new(Queue::default());
    {
        let mut state = queue.state();
        (state.has_sender, state.has_receiver) = (true, true);
    }
    (Sender(Arc::clone(&queue)), Receiver(queue))
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, message: Message) {
        self.count += 1;
        let message = match self.messages.last_mut() {
            Some(last) => last.join(message),
            None => Some(message),
        };
        match message {
            Some(message) => {
                self.bytes += size_of::<Message>();
                self.messages.push(message);
            }
            None => self.bytes += size_of::<RecordRef>(),
        }
    }

    fn take(&mut self) -> Vec<Message> {
        (self.bytes, self.count, self.is_urgent) = (0, 0, false);
        mem::take(&mut self.messages)
    }
}

impl Sender {
    /// Sends a message, and waits for room. Without a receiver the message is dropped.
    pub(super) fn send(&self, message: Message) {
        let is_full = |state: &mut State| state.bytes >= CAPACITY && state.has_receiver;
        let waited = self.0.is_emptied.wait_while(self.0.state(), is_full);
        self.push(waited.unwrap_or_else(PoisonError::into_inner), message);
    }

    /// Sends a message if there is room.
    pub(super) fn try_send(&self, message: Message) -> bool {
        let state = self.0.state();
        let has_room = state.bytes < CAPACITY && state.has_receiver;
        if has_room {
            self.push(state, message);
        }
        has_room
    }

    fn push(&self, mut state: MutexGuard<'_, State>, message: Message) {
        if !state.has_receiver {
            return;
        }
        state.is_urgent |= message.is_urgent();
        state.add(message);
        if state.is_urgent || state.count == ENOUGH {
            self.0.is_filled.notify_one();
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.state().has_sender = false;
        self.0.is_filled.notify_one();
    }
}

impl Receiver {
    /// What was sent since, after this time at the latest; nothing once the sender is dropped.
    pub(super) fn take(&self, wait: Duration) -> Option<Vec<Message>> {
        let waits = |state: &mut State| !state.is_urgent && state.count < ENOUGH && state.has_sender;
        let waited = self.0.is_filled.wait_timeout_while(self.0.state(), wait, waits);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);

        let messages = state.take();
        self.0.is_emptied.notify_all();
        (state.has_sender || !messages.is_empty()).then_some(messages)
    }
}

impl Receiver {
    /// What was sent since.
    pub(super) fn take_now(&self) -> Vec<Message> {
        self.take(Duration::ZERO).unwrap_or_default()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.has_receiver = false;
        // Dropping them tells those who wait for an answer that none will come.
        let unread = state.take();
        self.0.is_emptied.notify_all();
        drop(state);
        drop(unread);
    }
}
