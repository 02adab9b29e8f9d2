//! What is done for one request: gate, body, handler, answer.

use std::sync::Arc;
use std::time::Instant;

use agentmux_core::registry::Registry;
use http_body_util::{Either, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::{Request, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;

use crate::body::{self, Fields, Query};
use crate::gate::{Access, Arrival, Gate, Secret};
use crate::handlers::{Call, Kept, Outcome};
use crate::held::HeldAnswer;
use crate::limits::{MAX_AT_WORK, MAX_STREAMS, WORK_MARGIN, WORK_PATIENCE};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::routes::{Passage, Verb};
use crate::stream::EventStream;
use crate::wire::Hints;

/// What all connections share.
pub(crate) struct Service {
    registry: Registry,
    kept: Arc<Kept>,
    gate: Gate,
    /// One permit for each request at work that is no read, held until the work is done, whether or not its client is
    /// still there.
    work: Arc<Semaphore>,
    /// One permit for each stream of events.
    streams: Arc<Semaphore>,
}

/// What goes out: a document, or what takes its time.
enum Answer {
    Reply(Reply),
    Held(HeldAnswer),
    Stream(EventStream),
}

/// What is sent in an answer.
pub(crate) type Content = Either<Full<Bytes>, Either<HeldAnswer, EventStream>>;

impl Service {
    pub(crate) fn new(registry: Registry, access: &Access) -> Self {
        let work = Arc::new(Semaphore::new(MAX_AT_WORK as usize));
        let streams = Arc::new(Semaphore::new(MAX_STREAMS));
        Self { registry, kept: Arc::default(), gate: Gate::new(access), work, streams }
    }

    /// Refuses new work, ends waits and streams.
    pub(crate) fn drain(&self) {
        self.registry.drain();
    }

    /// Waits until no request is at work.
    pub(crate) async fn finished(&self) {
        let all = self.work.acquire_many(MAX_AT_WORK).await;
        drop(all.expect("the semaphore is never closed"));
    }

    /// Answers a request.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        local: bool,
        hints: &Hints,
    ) -> Response<Content> {
        let started = Instant::now();
        let (head, body) = request.into_parts();
        hints.unread(!body.is_end_stream());
        let arrival = Arrival { local, length: body.size_hint().upper() };
        let hooks =
            |session: &str| self.registry.hook_secret(session).map(|known| Secret::new(known.expose()));
        let reply = match self.gate.admit(&head, arrival, hooks) {
            Ok(passage) => match self.perform(&passage, &head, body, hints).await {
                Ok(Answer::Stream(stream)) => {
                    hints.streaming();
                    return stream.into_response().map(Either::Right).map(Either::Right);
                }
                Ok(Answer::Held(held)) => {
                    hints.streaming();
                    return held.into_response().map(Either::Left).map(Either::Right);
                }
                Ok(Answer::Reply(reply)) => note(&passage, reply, started),
                Err(refusal) => note(&passage, refusal.into(), started),
            },
            Err(refusal) => {
                let reply = Reply::from(refusal);
                log::debug!("refused at the gate: {}", reply.status());
                reply
            }
        };
        reply.into_response()
    }

    /// Runs the handler as a task of its own: an operation that has begun is done to its end, even where the
    /// client hangs up between the paste of a prompt and its Enter.
    async fn perform(
        &self,
        passage: &Passage,
        head: &Parts,
        body: Incoming,
        hints: &Hints,
    ) -> Result<Answer, Refusal> {
        let query = Query::parse(head.uri.query().unwrap_or_default());
        passage.route.check_query(&query)?;
        // Reads change nothing: who asks how things are is to be told so also while there is no place for more work.
        let permit = match passage.route.verb {
            Verb::Get => None,
            Verb::Post | Verb::Delete => Some(self.permit().await?),
        };
        let fields = match passage.route.body {
            Some(most) => body::read(body, most).await?,
            None => Fields::default(),
        };
        hints.unread(false);
        passage.route.check_fields(&fields)?;
        let last_event_id = head.headers.get("last-event-id");
        let call = Call {
            registry: self.registry.clone(),
            kept: self.kept.clone(),
            query,
            fields,
            key: passage.key.clone().unwrap_or_default(),
            last_event_id: last_event_id.map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned()),
        };
        let work = (passage.route.handler)(call);
        let task = tokio::spawn(async move {
            let _permit = permit;
            work.await
        });
        let deadline = self.registry.settings().ready_timeout + WORK_MARGIN;
        let outcome =
            tokio::time::timeout(deadline, task).await.map_err(|_| Refusal::unfinished(deadline))?;
        match outcome.map_err(|panic| defect(passage, &panic))?? {
            Outcome::Reply(reply) => Ok(Answer::Reply(reply)),
            Outcome::Wait(wait) => {
                hints.waiting(true);
                let reply = wait.await;
                hints.waiting(false);
                reply.map(Answer::Reply)
            }
            Outcome::Held(held) => Ok(Answer::Held(held)),
            Outcome::Stream(feed) => {
                let place = self.streams.clone().try_acquire_owned();
                Ok(Answer::Stream(EventStream::new(feed, place.map_err(|_| Refusal::too_many_streams())?)))
            }
        }
    }

    /// A place among the requests at work, waited for a while where there is none.
    async fn permit(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let permit = tokio::time::timeout(WORK_PATIENCE, self.work.clone().acquire_owned()).await;
        Ok(permit.map_err(|_| Refusal::overloaded())?.expect("the semaphore is never closed"))
    }
}

/// The panic itself is on stderr already, with its place.
fn defect(passage: &Passage, panic: &JoinError) -> Refusal {
    log::error!("the handler of {} failed: {panic}", passage.route.path);
    Refusal::internal()
}

/// One line for each request that may have changed something. Nothing of what the client sent is in it.
fn note(passage: &Passage, reply: Reply, started: Instant) -> Reply {
    let (verb, path) = (passage.route.verb, passage.route.path);
    if verb != Verb::Get {
        let (status, took) = (reply.status().as_u16(), started.elapsed().as_millis());
        log::info!("{} {path} {status} {took} ms", verb.word());
    }
    reply
}
