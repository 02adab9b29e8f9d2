//! What happens, as a stream of server-sent events.
//!
//! The connection pulls: an event is read from the core's log when there is room for it. A client that does
//! not read holds some kilobytes of the connection's own buffers, falls behind in the log, and is told so
//! (`lagged`) if it reads on before the wire's time-out cuts it off.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use agentmux_api as api;
use agentmux_core::events::{Next, Reader};
use agentmux_core::registry::Registry;
use hyper::Response;
use hyper::body::{Body, Bytes, Frame};
use hyper::header::{self, HeaderValue};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;

use crate::limits::HEARTBEAT;
use crate::view::detail::{event, json};

/// What a client follows.
pub(crate) struct Feed {
    registry: Registry,
    events: Reader,
    /// The name or id of the only session that it is about.
    session: Option<String>,
    stage: Stage,
}

enum Stage {
    /// Nothing was sent yet.
    Opening,
    Following,
    /// The last word was said.
    Over,
}

impl Feed {
    /// Events from after the one numbered `last` on; without it, from now on.
    pub(crate) fn new(registry: Registry, session: Option<String>, last: Option<u64>) -> Self {
        let events = registry.events(last);
        Self { registry, events, session, stage: Stage::Opening }
    }

    /// The next text to send, and the feed for what comes after it; `None` at the end.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        let text = match self.stage {
            Stage::Over => return None,
            Stage::Opening => {
                self.stage = Stage::Following;
                format!("retry: 1000\n{}", self.position())
            }
            Stage::Following => {
                let registry = self.registry.clone();
                tokio::select! {
                    biased;
                    () = registry.draining() => {
                        self.stage = Stage::Over;
                        format!("event: bye\ndata: {}\n\n", json(&api::Bye {}))
                    }
                    text = self.wanted() => text,
                    () = sleep(HEARTBEAT) => format!(":\n{}", self.position()),
                }
            }
        };
        Some((text.into(), self))
    }

    /// How far the client has come now; no event in itself.
    fn position(&self) -> String {
        format!("id: {}\n\n", self.events.last())
    }

    /// The next event that the client wants. May be dropped and called again: nothing is lost.
    async fn wanted(&mut self) -> String {
        loop {
            let (name, data) = match self.events.next().await {
                Next::Lagged(first) => ("lagged", json(&api::Lagged { first })),
                Next::Event(numbered) => {
                    let event_is_wanted =
                        self.session.as_deref().is_none_or(|session| numbered.event.is_about(session));
                    if !event_is_wanted {
                        continue;
                    }
                    event(&numbered.event)
                }
            };
            return format!("event: {name}\ndata: {data}\n{}", self.position());
        }
    }
}

/// A feed on its way out, and its place among the streams.
pub(crate) struct EventStream {
    step: Option<Step>,
    _place: OwnedSemaphorePermit,
}

/// The next piece of a feed, under way.
type Step = Pin<Box<dyn Future<Output = Option<(Bytes, Feed)>> + Send>>;

impl EventStream {
    pub(crate) fn new(feed: Feed, place: OwnedSemaphorePermit) -> Self {
        Self { step: Some(Box::pin(feed.next())), _place: place }
    }

    /// The stream as hyper sends it; nothing else comes on its connection.
    pub(crate) fn into_response(self) -> Response<Self> {
        last_answer(self, "text/event-stream")
    }
}

/// An answer that is sent as its body comes, and with which its connection ends.
pub(crate) fn last_answer<B>(body: B, content_type: &'static str) -> Response<B> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

impl Body for EventStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(step) = &mut self.step else {
            return Poll::Ready(None);
        };
        let next = ready!(step.as_mut().poll(cx));
        let (text, step) = next.map(|(text, feed)| (text, Box::pin(feed.next()) as Step)).unzip();
        self.step = step;
        Poll::Ready(text.map(|text| Ok(Frame::data(text))))
    }
}
