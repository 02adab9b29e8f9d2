//! What is done for one request: gate, body, handler, answer.

use std::sync::Arc;
use std::time::Instant;

use agentmux_core::registry::Registry;
use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::{Request, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;

use crate::body::{self, Fields, Query};
use crate::gate::{Access, Arrival, Gate};
use crate::handlers::{Call, Outcome};
use crate::limits::{MAX_AT_WORK, WORK_MARGIN, WORK_PATIENCE};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::routes::Passage;
use crate::wire::Lingering;

/// What all connections share.
pub(crate) struct Service {
    registry: Registry,
    gate: Gate,
    /// One permit for each request at work, held until the work is done, whether or not its client is still
    /// there.
    work: Arc<Semaphore>,
}

impl Service {
    pub(crate) fn new(registry: Registry, access: &Access) -> Self {
        let work = Arc::new(Semaphore::new(MAX_AT_WORK as usize));
        Self { registry, gate: Gate::new(access), work }
    }

    /// Refuses new work and ends waits.
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
        lingering: &Lingering,
    ) -> Response<Full<Bytes>> {
        let started = Instant::now();
        let (head, body) = request.into_parts();
        lingering.set(!body.is_end_stream());
        let reply = match self.gate.admit(&head, Arrival { local, length: body.size_hint().upper() }) {
            Ok(passage) => {
                let reply = self.perform(&passage, &head, body, lingering).await.unwrap_or_else(Reply::from);
                note(&passage, &reply, started);
                reply
            }
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
        lingering: &Lingering,
    ) -> Result<Reply, Refusal> {
        let permit = self.permit().await?;
        let fields = match passage.route.body {
            Some(most) => body::read(body, most).await?,
            None => Fields::default(),
        };
        lingering.set(false);
        let call = Call {
            registry: self.registry.clone(),
            query: Query::parse(head.uri.query().unwrap_or_default()),
            fields,
            id: passage.id.clone().unwrap_or_default(),
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
            Outcome::Reply(reply) => Ok(reply),
            Outcome::Wait(wait) => wait.end(&self.registry).await,
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
fn note(passage: &Passage, reply: &Reply, started: Instant) {
    if passage.route.body.is_some() {
        let (path, status) = (passage.route.path, reply.status().as_u16());
        log::info!("POST {path} {status} {} ms", started.elapsed().as_millis());
    }
}
