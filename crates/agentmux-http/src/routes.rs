//! The index of the API: every route there is. `docs/api.md` is checked against it.

use std::pin::Pin;

use hyper::Method;
use hyper::http::request::Parts;

use crate::handlers::{Call, Outcome, control, look, prompt, turn};
use crate::limits::{PROMPT_BODY, SMALL_BODY};
use crate::refusal::Refusal;

/// A handler: one operation of the core, translated.
pub(crate) type Handler = fn(Call) -> Handled;
/// What a handler does, under way.
pub(crate) type Handled = Pin<Box<dyn Future<Output = Result<Outcome, Refusal>> + Send>>;

/// One route: GET routes take HEAD too, and no body.
#[derive(Debug)]
pub(crate) struct Route {
    /// The path; `{id}` at its end stands for one segment.
    pub(crate) path: &'static str,
    /// The most bytes of a POST's body; `None` for GET.
    pub(crate) body: Option<u64>,
    pub(crate) handler: Handler,
}

/// The API.
pub(crate) static ROUTES: &[Route] = &[
    get("/livez", |call| Box::pin(look::livez(call))),
    get("/health", |call| Box::pin(look::health(call))),
    get("/sessions", |call| Box::pin(look::sessions(call))),
    get("/idle", |call| Box::pin(look::idle(call))),
    get("/capture", |call| Box::pin(look::capture(call))),
    get("/turns/{id}", |call| Box::pin(turn::turn(call))),
    post("/run", PROMPT_BODY, |call| Box::pin(prompt::run(call))),
    post("/send", PROMPT_BODY, |call| Box::pin(prompt::send(call))),
    post("/key", SMALL_BODY, |call| Box::pin(control::key(call))),
    post("/restart", SMALL_BODY, |call| Box::pin(control::restart(call))),
    post("/cleanup", SMALL_BODY, |call| Box::pin(control::cleanup(call))),
    post("/kill", SMALL_BODY, |call| Box::pin(control::kill(call))),
];

const fn get(path: &'static str, handler: Handler) -> Route {
    Route { path, body: None, handler }
}

const fn post(path: &'static str, body: u64, handler: Handler) -> Route {
    Route { path, body: Some(body), handler }
}

/// A request that has found its route.
#[derive(Debug)]
pub(crate) struct Passage {
    pub(crate) route: &'static Route,
    /// What stands for `{id}`.
    pub(crate) id: Option<String>,
}

/// The one route that needs no token: it tells nothing but that the daemon answers.
pub(crate) fn is_public(head: &Parts) -> bool {
    head.uri.path() == "/livez" && (head.method == Method::GET || head.method == Method::HEAD)
}

/// The route of a path, which is taken as it is: not decoded, no slash added or removed, never redirected.
pub(crate) fn find(method: &Method, path: &str) -> Result<Passage, Refusal> {
    let route = ROUTES.iter().find(|route| route.matches(path)).ok_or_else(Refusal::no_such_path)?;
    if !route.takes(method) {
        return Err(Refusal::method_not_allowed(route.allow()));
    }
    Ok(Passage { route, id: route.id_in(path).map(str::to_owned) })
}

impl Route {
    fn matches(&self, path: &str) -> bool {
        self.path == path || self.id_in(path).is_some()
    }

    fn id_in<'a>(&self, path: &'a str) -> Option<&'a str> {
        let id = path.strip_prefix(self.path.strip_suffix("{id}")?)?;
        (!id.is_empty() && !id.contains('/')).then_some(id)
    }

    fn takes(&self, method: &Method) -> bool {
        match self.body {
            None => method == Method::GET || method == Method::HEAD,
            Some(_) => method == Method::POST,
        }
    }

    fn allow(&self) -> &'static str {
        match self.body {
            None => "GET, HEAD",
            Some(_) => "POST",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_names_every_route() {
        let documentation = include_str!("../../../docs/api.md");
        for route in ROUTES {
            let method = if route.body.is_some() { "POST" } else { "GET" };
            let heading = format!("\n### {method} {}", route.path);
            assert!(
                documentation.contains(&heading),
                "docs/api.md lacks a heading for {method} {}",
                route.path
            );
        }
        assert_eq!(
            documentation.matches("\n### ").count(),
            ROUTES.len(),
            "docs/api.md has a heading too many"
        );
    }

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
            "/turns",
            "/turns/",
            "/turns/a/b",
            "/%72un",
            "//evil.com/x",
            "/static/../../etc/passwd",
            "/%2e%2e/",
            "/%00",
            "/turns/{id}/",
            "*",
        ] {
            assert_eq!(find(&Method::POST, path).unwrap_err().status(), 404, "{path}");
        }
        assert_eq!(find(&Method::GET, "/turns/t-1").unwrap().id.as_deref(), Some("t-1"));
    }

    #[test]
    fn a_wrong_method_on_a_known_path_is_told_the_right_one() {
        let lower = Method::from_bytes(b"get").unwrap();
        for (method, path) in
            [(Method::POST, "/health"), (Method::GET, "/run"), (Method::HEAD, "/run"), (lower, "/idle")]
        {
            assert_eq!(find(&method, path).unwrap_err().status(), 405, "{method} {path}");
        }
        assert!(find(&Method::HEAD, "/health").is_ok());
    }
}
