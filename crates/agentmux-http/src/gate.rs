//! The request gate: who may ask what, decided from a request's head alone, before a byte of its body is
//! read.
//!
//! The order is part of the contract. A foreign page learns nothing but 403; a client without a token does
//! not learn which paths there are; `Allow` and length limits are for those who may ask.
//!
//! ```text
//! target form ─► Host ─► Origin, Sec-Fetch-Site ─► token ─► path, method ─► the body's headers ─► its length
//!     400       400/403           403             403/400     404/405       400/415/417/501        413
//! ```

mod content;
mod host;
mod token;

#[cfg(test)]
mod tests;

use hyper::Method;
use hyper::http::request::Parts;

use self::host::Hosts;
use self::token::Tokens;
use crate::refusal::Refusal;
use crate::routes::{self, Guard, Passage};

pub(crate) use self::content::too_large;
pub use self::token::{Access, Secret};

/// Where a request comes from, and how long its body says it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// Whether the client is on this machine.
    pub(crate) local: bool,
    /// The declared length of the body; `None` where it comes in chunks.
    pub(crate) length: Option<u64>,
}

/// What a request must pass.
#[derive(Debug)]
pub(crate) struct Gate {
    hosts: Hosts,
    tokens: Tokens,
}

impl Gate {
    pub(crate) fn new(access: &Access) -> Self {
        Self { hosts: Hosts::new(&access.allowed_hosts), tokens: Tokens::new(access) }
    }

    /// Lets a request pass to its route. `hooks` knows the secret of a session's agent.
    pub(crate) fn admit(
        &self,
        head: &Parts,
        arrival: Arrival,
        hooks: impl FnOnce(&str) -> Option<Secret>,
    ) -> Result<Passage, Refusal> {
        target_form(head)?;
        let host = self.hosts.check(&head.headers)?;
        host::same_origin(&head.headers, &host)?;
        match routes::guard(head) {
            Guard::Nobody => {}
            Guard::Token => self.tokens.check(&head.headers, arrival.local)?,
            Guard::Session(session) => token::check_hook(&head.headers, hooks(session))?,
        }
        let passage = routes::find(&head.method, head.uri.path())?;
        content::check(head, &passage, arrival.length)?;
        Ok(passage)
    }
}

/// Only `/path` is a target here: hyper also lets through what is meant for proxies and tunnels.
fn target_form(head: &Parts) -> Result<(), Refusal> {
    if head.method == Method::CONNECT || (head.method == Method::OPTIONS && head.uri.path() == "*") {
        return Err(Refusal::method_not_allowed("GET, HEAD, POST, DELETE").closing());
    }
    let uri = &head.uri;
    let origin_form = uri.scheme().is_none() && uri.authority().is_none() && uri.path().starts_with('/');
    origin_form.then_some(()).ok_or_else(|| Refusal::invalid("the request target must be a path").closing())
}
