//! What the model is held against: a server, however it is reached.

use jiff::Timestamp;
use serde_json::Value;

use crate::names::{Account, Region};

/// A server under test.
pub(crate) trait Subject {
    /// Whether the server does by itself, between two calls, what is to be done within seconds. Else it does so only while the
    /// clock moves.
    const SETTLES_AFTER_EACH_CALL: bool;

    /// Makes a call as the root user of an account. An empty answer is `null`.
    fn call(
        &mut self,
        by: Account,
        region: Region,
        operation: &str,
        parameters: &Value,
    ) -> Result<Value, Refused>;

    /// Moves the clock forward, and has all that fell due done.
    fn advance(&mut self, seconds: i64);

    /// Waits until the server has done what it does by itself.
    fn settle(&mut self);

    /// Ends the server and starts it again on what it left.
    fn restart(&mut self);

    /// The time of the server's clock.
    fn now(&self) -> Timestamp;
}

/// An error that the server answered.
#[derive(Debug)]
pub(crate) struct Refused {
    /// `__type`.
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Refused {
    /// Reads the body of an answer that is no success.
    pub(crate) fn of_body(body: &[u8]) -> Refused {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        Refused { code: text("__type"), message: text("message") }
    }
}
