//! An answer whose head goes out at once, and whose body when somebody has decided it.
//!
//! The agent that asked waits for it, for minutes; it is no work, and no limit of work counts it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use agentmux_core::registry::Registry;
use agentmux_core::signals::Decision;
use hyper::Response;
use hyper::body::{Body, Bytes, Frame};

use crate::stream::last_answer;

/// The body that is to come; nothing once it is out.
pub(crate) struct HeldAnswer(Option<Pin<Box<dyn Future<Output = Bytes> + Send>>>);

impl HeldAnswer {
    pub(crate) fn new(registry: Registry, decision: Decision) -> Self {
        Self(Some(Box::pin(async move {
            let answer = tokio::select! {
                answer = decision.made() => answer,
                () = registry.draining() => serde_json::Value::Object(serde_json::Map::new()),
            };
            answer.to_string().into()
        })))
    }

    /// The answer as hyper sends it; nothing else comes on its connection.
    pub(crate) fn into_response(self) -> Response<Self> {
        last_answer(self, "application/json; charset=utf-8")
    }
}

impl Body for HeldAnswer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(answer) = &mut self.0 else { return Poll::Ready(None) };
        let answer = ready!(answer.as_mut().poll(cx));
        self.0 = None;
        Poll::Ready(Some(Ok(Frame::data(answer))))
    }
}
