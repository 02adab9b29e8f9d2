//! The index of the API: every route there is. `docs/api.md` is checked against it.

use std::pin::Pin;

use agentmux_core::input::SessionName;
use hyper::Method;
use hyper::http::request::Parts;

use crate::body::{Fields, Query};
use crate::handlers::{Call, Outcome, control, events, hook, look, prompt, session, turn};
use crate::limits::{PROMPT_BODY, SMALL_BODY};
use crate::refusal::Refusal;

/// A handler: one operation of the core, translated.
pub(crate) type Handler = fn(Call) -> Handled;
/// What a handler does, under way.
pub(crate) type Handled = Pin<Box<dyn Future<Output = Result<Outcome, Refusal>> + Send>>;

/// One route.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) verb: Verb,
    /// The path; `{name}`, `{id}` or `{session}` stands for one segment.
    pub(crate) path: &'static str,
    /// The most bytes of a POST's body; the others take none.
    pub(crate) body: Option<u64>,
    /// The parameters of a query, of a POST the fields of its body, that there are; others are refused. `None`
    /// on the inherited endpoints, which ignore what they do not know.
    pub(crate) known: Option<&'static [&'static str]>,
    pub(crate) handler: Handler,
}

/// What a route is asked by; GET routes take HEAD too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Delete,
}

/// The API: the inherited endpoints, then those by resource.
pub(crate) static ROUTES: &[Route] = &[
    get("/livez", |call| Box::pin(look::livez(call))),
    get("/health", |call| Box::pin(look::health(call))),
    get("/sessions", |call| Box::pin(look::sessions(call))),
    get("/idle", |call| Box::pin(look::idle(call))),
    get("/capture", |call| Box::pin(look::capture(call))),
    post("/run", PROMPT_BODY, |call| Box::pin(prompt::run(call))),
    post("/send", PROMPT_BODY, |call| Box::pin(prompt::send(call))),
    post("/key", SMALL_BODY, |call| Box::pin(control::key(call))),
    post("/restart", SMALL_BODY, |call| Box::pin(control::restart(call))),
    post("/cleanup", SMALL_BODY, |call| Box::pin(control::cleanup(call))),
    post("/kill", SMALL_BODY, |call| Box::pin(control::kill(call))),
    post("/sessions", SMALL_BODY, |call| Box::pin(session::start(call)))
        .knows(&["agent", "command", "workdir", "env", "name", "size", "policy", "wait"]),
    get("/sessions/{name}", |call| Box::pin(session::show(call))).knows(&[]),
    delete("/sessions/{name}", |call| Box::pin(session::delete(call))).knows(&[]),
    get("/sessions/{name}/screen", |call| Box::pin(session::screen(call))).knows(&["lines", "format"]),
    get("/sessions/{name}/wait", |call| Box::pin(session::wait(call))).knows(&["until", "wait"]),
    get("/sessions/{name}/explain", |call| Box::pin(session::explain(call))).knows(&[]),
    post("/sessions/{name}/keys", SMALL_BODY, |call| Box::pin(control::keys(call))).knows(&["key", "repeat"]),
    post("/sessions/{name}/answer", PROMPT_BODY, |call| Box::pin(control::answer(call)))
        .knows(&["choice", "text", "approve", "deny", "question"]),
    post("/sessions/{name}/interrupt", SMALL_BODY, |call| Box::pin(control::interrupt(call))).knows(&[]),
    post("/sessions/{name}/turns", PROMPT_BODY, |call| Box::pin(turn::submit(call)))
        .knows(&["text", "wait", "timeout", "if_busy", "policy", "raw"]),
    get("/sessions/{name}/turns", |call| Box::pin(turn::of_session(call))).knows(&["state", "limit"]),
    get("/turns", |call| Box::pin(turn::list(call))).knows(&["state", "session", "limit"]),
    get("/turns/{id}", |call| Box::pin(turn::show(call))).knows(&["wait"]),
    post("/turns/{id}/cancel", SMALL_BODY, |call| Box::pin(turn::cancel(call))).knows(&[]),
    get("/events", |call| Box::pin(events::follow(call))).knows(&["session", "last_event_id"]),
    get("/agents", |call| Box::pin(look::agents(call))).knows(&["versions"]),
    post("/agents/refresh", SMALL_BODY, |call| Box::pin(look::refresh_agents(call))).knows(&[]),
    get("/readyz", |call| Box::pin(look::readyz(call))).knows(&[]),
    // The body is the agent's own, and has what it likes.
    post("/hooks/{session}", PROMPT_BODY, |call| Box::pin(hook::hear(call))),
];

const fn get(path: &'static str, handler: Handler) -> Route {
    Route { verb: Verb::Get, path, body: None, known: None, handler }
}

const fn post(path: &'static str, body: u64, handler: Handler) -> Route {
    Route { verb: Verb::Post, path, body: Some(body), known: None, handler }
}

const fn delete(path: &'static str, handler: Handler) -> Route {
    Route { verb: Verb::Delete, path, body: None, known: None, handler }
}

/// A request that has found its route.
#[derive(Debug)]
pub(crate) struct Passage {
    pub(crate) route: &'static Route,
    /// What stands for `{name}` or `{id}`.
    pub(crate) key: Option<String>,
}

/// What a request must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard<'a> {
    /// Nothing: the route tells nothing but that the daemon answers.
    Nobody,
    /// A token of the API.
    Token,
    /// The secret of the agent of this session.
    Session(&'a str),
}

/// What a request must show before it is told which paths there are.
pub(crate) fn guard(head: &Parts) -> Guard<'_> {
    let path = head.uri.path();
    let looks = head.method == Method::GET || head.method == Method::HEAD;
    match path.strip_prefix("/hooks/") {
        Some(session) => Guard::Session(session),
        None if path == "/livez" && looks => Guard::Nobody,
        None => Guard::Token,
    }
}

/// The route of a path, which is taken as it is: not decoded, no slash added or removed, never redirected.
pub(crate) fn find(method: &Method, path: &str) -> Result<Passage, Refusal> {
    let matching = || ROUTES.iter().filter(|route| route.matches(path));
    if let Some(route) = matching().find(|route| route.verb.takes(method)) {
        return Ok(Passage { route, key: route.key_in(path).map(str::to_owned) });
    }
    let allowed: Vec<_> = matching().map(|route| route.verb.allow()).collect();
    Err(match allowed[..] {
        [] => Refusal::no_such_path(),
        _ => Refusal::method_not_allowed(&allowed.join(", ")),
    })
}

impl Route {
    const fn knows(self, known: &'static [&'static str]) -> Self {
        Self { known: Some(known), ..self }
    }

    fn matches(&self, path: &str) -> bool {
        if self.path.contains('{') { self.key_in(path).is_some() } else { self.path == path }
    }

    /// What stands for `{name}` or `{id}`: only what could be one. Ids are made of the characters of names.
    fn key_in<'a>(&self, path: &'a str) -> Option<&'a str> {
        let (before, rest) = self.path.split_once('{')?;
        let (_, after) = rest.split_once('}')?;
        let key = path.strip_prefix(before)?.strip_suffix(after)?;
        SessionName::parse(key).is_ok().then_some(key)
    }

    /// Refuses a query with parameters that this route does not know.
    pub(crate) fn check_query(&self, query: &Query) -> Result<(), Refusal> {
        match self.known {
            None => Ok(()),
            Some(known) => Ok(query.only(if self.verb == Verb::Post { &[] } else { known })?),
        }
    }

    /// Refuses a body with fields that this route does not know.
    pub(crate) fn check_fields(&self, fields: &Fields) -> Result<(), Refusal> {
        self.known.map_or(Ok(()), |known| Ok(fields.only(known)?))
    }
}

impl Verb {
    fn takes(self, method: &Method) -> bool {
        match self {
            Self::Get => method == Method::GET || method == Method::HEAD,
            Self::Post => method == Method::POST,
            Self::Delete => method == Method::DELETE,
        }
    }

    fn allow(self) -> &'static str {
        match self {
            Self::Get => "GET, HEAD",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_as_they_are() {
        for path in [
            "/",
            "",
            "//",
            "/Run",
            "/run/",
            "//run",
            "/health/",
            "/turns/",
            "/turns/a/b",
            "/%72un",
            "//evil.com/x",
            "/static/../../etc/passwd",
            "/%2e%2e/",
            "/%00",
            "/turns/{id}/",
            "/turns/{id}",
            "/turns/a/cancel/",
            "/turns//cancel",
            "/sessions/",
            "/sessions/a/",
            "/sessions/a/b",
            "/sessions//turns",
            "/sessions/a/turns/b",
            "/sessions/../turns",
            "/sessions/a%2fb",
            "/sessions/a.b",
            "/sessions/-a",
            "*",
        ] {
            assert_eq!(find(&Method::POST, path).unwrap_err().status(), 404, "{path}");
        }
        let long = format!("/sessions/{}", "a".repeat(65));
        assert_eq!(find(&Method::GET, &long).unwrap_err().status(), 404);
        for (method, path, route, key) in [
            (Method::GET, "/turns/t-1", "/turns/{id}", Some("t-1")),
            (Method::POST, "/turns/t-1/cancel", "/turns/{id}/cancel", Some("t-1")),
            (Method::DELETE, "/sessions/a_B-1", "/sessions/{name}", Some("a_B-1")),
            (Method::GET, "/sessions/turns", "/sessions/{name}", Some("turns")),
            (Method::GET, "/sessions/turns/turns", "/sessions/{name}/turns", Some("turns")),
            (Method::GET, "/turns", "/turns", None),
        ] {
            let passage = find(&method, path).unwrap();
            assert_eq!((passage.route.path, passage.key.as_deref()), (route, key), "{path}");
        }
    }

    #[test]
    fn a_wrong_method_on_a_known_path_is_told_the_right_ones() {
        let lower = Method::from_bytes(b"get").unwrap();
        for (method, path, allow) in [
            (Method::POST, "/health", "GET, HEAD"),
            (Method::GET, "/run", "POST"),
            (Method::HEAD, "/run", "POST"),
            (lower, "/idle", "GET, HEAD"),
            (Method::DELETE, "/sessions", "GET, HEAD, POST"),
            (Method::POST, "/sessions/a", "GET, HEAD, DELETE"),
            (Method::PUT, "/sessions/a/turns", "POST, GET, HEAD"),
            (Method::GET, "/sessions/a/interrupt", "POST"),
            (Method::POST, "/events", "GET, HEAD"),
        ] {
            let refusal = find(&method, path).unwrap_err();
            assert_eq!(refusal.status(), 405, "{method} {path}");
            assert_eq!(refusal.failure().error, format!("this path takes {allow}"), "{method} {path}");
        }
        assert!(find(&Method::HEAD, "/health").is_ok());
    }
}
