//! The gate as a table: what is let in, and what is refused with which status.

use hyper::header::HeaderValue;
use hyper::{Method, Request, Version};

use super::*;

const TOKEN: &str = "amx_token";

/// A request that passes unless a test spoils it.
struct Asked {
    head: Parts,
    arrival: Arrival,
}

fn gate() -> Gate {
    let access = Access {
        tokens: vec![Secret::new("other"), Secret::new(TOKEN), Secret::new("")],
        open: false,
        allowed_hosts: vec!["Box.example".into(), "fd00::1".into()],
    };
    Gate::new(&access)
}

/// The session `a` has an agent with hooks.
fn hook_secret(session: &str) -> Option<Secret> {
    (session == "a").then(|| Secret::new("amx_hook"))
}

fn open_gate() -> Gate {
    Gate::new(&Access { open: true, ..Access::default() })
}

fn ask(method: &str, target: &str) -> Asked {
    let request = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .uri(target)
        .header("host", "127.0.0.1:8765")
        .header("authorization", format!("Bearer {TOKEN}"))
        .body(())
        .unwrap();
    Asked { head: request.into_parts().0, arrival: Arrival { local: true, length: Some(0) } }
}

impl Asked {
    /// One more header line.
    fn and(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.head.headers.append(name, HeaderValue::from_bytes(value.as_ref()).unwrap());
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.head.headers.remove(name);
        self
    }

    /// The header with another value.
    fn with(self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.without(name).and(name, value)
    }

    fn length(mut self, length: Option<u64>) -> Self {
        self.arrival.length = length;
        self
    }

    fn status_at(&self, gate: &Gate) -> u16 {
        gate.admit(&self.head, self.arrival, hook_secret)
            .map_or_else(|refusal| refusal.status().as_u16(), |_| 200)
    }

    fn status(&self) -> u16 {
        self.status_at(&gate())
    }

    fn code(&self) -> Option<String> {
        gate().admit(&self.head, self.arrival, hook_secret).unwrap_err().failure().code.clone()
    }
}

#[test]
fn only_paths_are_targets() {
    for (method, target, status) in [
        ("GET", "/health", 200),
        ("GET", "/health?x=//evil", 200),
        ("GET", "http://127.0.0.1:8765/health", 400),
        ("GET", "http://evil.com/health", 400),
        ("GET", "foo", 400),
        ("GET", "*", 400),
        ("CONNECT", "x:1", 405),
        ("OPTIONS", "*", 405),
        ("OPTIONS", "/health", 405),
        ("FROB", "/health", 405),
        ("get", "/health", 405),
        ("FROB", "/nope", 404),
        ("GET", "//evil.com/x", 404),
    ] {
        assert_eq!(ask(method, target).status(), status, "{method} {target}");
    }
}

#[test]
fn exactly_one_host_that_is_ours() {
    assert_eq!(ask("GET", "/health").without("host").status(), 400);
    assert_eq!(ask("GET", "/health").and("host", "127.0.0.1:8765").status(), 400);
    let mut old = ask("GET", "/health").without("host");
    old.head.version = Version::HTTP_10;
    assert_eq!(old.status(), 400);
    for (hosts, status) in [
        (
            "localhost LOCALHOST 127.0.0.1 localhost:1 localhost: [::1] [::1]:8765 box.example BOX.example:9",
            200,
        ),
        ("[fd00::1] [FD00::1]:1", 200),
        ("evil.com:8765 localhost. 127.0.0.1.evil.com localhost.evil.com 0.0.0.0 0 127.1 2130706433", 403),
        ("[::ffff:127.0.0.1] [::] fd00.example box.example.evil.com xbox.example", 403),
        (
            "user@localhost a@b@c:99999/.. [::1 ::1 [x] [::1]x localhost:99999 localhost:x localhost:+1 :80",
            400,
        ),
    ] {
        for host in hosts.split(' ') {
            assert_eq!(ask("GET", "/health").with("host", host).status(), status, "{host}");
            let livez = ask("GET", "/livez").without("authorization").with("host", host);
            assert_eq!(livez.status(), status, "even without a token: {host}");
        }
    }
    for host in [&b"local\xffhost"[..], b"", b"a b", b"localhost,localhost"] {
        assert_eq!(ask("GET", "/health").with("host", host).status(), 400, "{host:?}");
    }
    assert_eq!(ask("GET", "/health").with("host", "evil.com").code().as_deref(), Some("host_not_allowed"));
}

#[test]
fn pages_of_other_origins_are_refused_whatever_they_ask() {
    for (method, path) in [
        ("GET", "/capture"),
        ("GET", "/events"),
        ("POST", "/run"),
        ("DELETE", "/sessions/a"),
        ("GET", "/livez"),
        ("POST", "/nope"),
    ] {
        for origin in [
            "https://evil",
            "null",
            "",
            "http://localhost:8766",
            "http://localhost:8765",
            "http://127.0.0.1",
            "http://127.0.0.1:8765.evil",
            "http://127.0.0.1.evil:8765",
            "http://127.0.0.1:8765/",
            "https://127.0.0.1:8765",
            "http://x@127.0.0.1:8765",
            "file://",
        ] {
            let asked = ask(method, path).and("origin", origin);
            assert_eq!(asked.code().as_deref(), Some("origin_not_allowed"), "{method} {path} {origin}");
        }
        for site in ["cross-site", "same-site", "", "Same-Origin", "x"] {
            let asked = ask(method, path).and("sec-fetch-site", site);
            assert_eq!(asked.code().as_deref(), Some("origin_not_allowed"), "{method} {path} {site}");
        }
    }
    let own = "http://127.0.0.1:8765";
    assert_eq!(ask("GET", "/health").and("origin", own).and("origin", own).status(), 403);
    assert_eq!(ask("GET", "/health").and("origin", own).status(), 200);
    assert_eq!(ask("GET", "/health").and("sec-fetch-site", "same-origin").status(), 200);
    assert_eq!(ask("GET", "/health").and("sec-fetch-site", "none").status(), 200);
    assert_eq!(
        ask("GET", "/health").with("host", "localhost").and("origin", "http://localhost:80").status(),
        200
    );
}

#[test]
fn a_token_is_needed_before_anything_is_told() {
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer amx_toke",
        "Bearer amx_tokens",
        "Bearer AMX_TOKEN",
        "Basic amx_token",
        "amx_token",
        "Beareramx_token",
        "Bearer \"amx_token\"",
    ] {
        for (method, path) in [
            ("GET", "/health"),
            ("GET", "/nope"),
            ("DELETE", "/run"),
            ("OPTIONS", "/run"),
            ("POST", "/livez"),
        ] {
            let asked = ask(method, path).with("authorization", value);
            assert_eq!((asked.status(), asked.code()), (403, None), "{method} {path} {value:?}");
        }
    }
    assert_eq!(ask("GET", "/health?token=amx_token").without("authorization").status(), 403);
    assert_eq!(ask("POST", "/run").with("authorization", "x").length(Some(u64::MAX)).status(), 403);
    assert_eq!(ask("GET", "/livez").without("authorization").status(), 200);
    assert_eq!(ask("HEAD", "/livez").without("authorization").status(), 200);
}

#[test]
fn tokens_come_in_two_headers_and_some_spellings() {
    for value in ["bearer amx_token", "BEARER   amx_token", "Bearer\tamx_token", "Bearer other"] {
        assert_eq!(ask("GET", "/health").with("authorization", value).status(), 200, "{value:?}");
    }
    let bridge = |value: &str| ask("GET", "/health").without("authorization").and("x-bridge-token", value);
    assert_eq!(bridge(TOKEN).status(), 200);
    assert_eq!(bridge("").status(), 403);
    assert_eq!(bridge(TOKEN).and("authorization", "Bearer wrong").status(), 200);
    assert_eq!(ask("GET", "/health").and("authorization", "Bearer amx_token").status(), 400);
    assert_eq!(bridge(TOKEN).and("x-bridge-token", TOKEN).status(), 400);
}

#[test]
fn an_open_daemon_asks_this_machine_for_no_token_and_keeps_the_rest_of_the_gate() {
    let gate = open_gate();
    let asked = || ask("POST", "/cleanup").without("authorization");
    assert_eq!(asked().status_at(&gate), 200);
    assert_eq!(asked().with("host", "evil.com").status_at(&gate), 403);
    assert_eq!(asked().and("origin", "https://evil").status_at(&gate), 403);
    let mut remote = asked();
    remote.arrival.local = false;
    assert_eq!(remote.status_at(&gate), 403);
    assert_eq!(
        ask("GET", "/health").status_at(&Gate::new(&Access::default())),
        403,
        "the default lets nobody in"
    );
}

#[test]
fn web_pages_send_json_and_programs_what_they_like() {
    let types = [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonp",
        "application/json; charset=utf-16",
        "application/json, text/plain",
    ];
    for kind in types {
        assert_eq!(ask("POST", "/run").and("content-type", kind).status(), 200, "{kind}");
        for (name, value) in [("origin", "http://127.0.0.1:8765"), ("sec-fetch-site", "same-origin")] {
            assert_eq!(
                ask("POST", "/run").and("content-type", kind).and(name, value).status(),
                415,
                "{kind}"
            );
        }
    }
    let page = || ask("POST", "/run").and("sec-fetch-site", "same-origin");
    assert_eq!(page().status(), 415);
    assert_eq!(page().and("content-type", "application/json").status(), 200);
    assert_eq!(page().and("content-type", "Application/JSON; charset=UTF-8").status(), 200);
}

#[test]
fn bodies_that_would_not_be_understood_are_refused_unread() {
    for (name, value, status) in [
        ("content-encoding", "gzip", 415),
        ("content-encoding", "identity", 200),
        ("transfer-encoding", "chunked", 200),
        ("transfer-encoding", "gzip, chunked", 501),
        ("expect", "100-continue", 200),
        ("expect", "a miracle", 417),
        ("idempotency-key", "x", 400),
    ] {
        assert_eq!(ask("POST", "/run").and(name, value).status(), status, "{name}: {value}");
    }
    assert_eq!(ask("POST", "/run").and("idempotency-key", "x").code().as_deref(), Some("unsupported"));
    let mut old = ask("POST", "/run").and("transfer-encoding", "chunked");
    old.head.version = Version::HTTP_10;
    assert_eq!(old.status(), 400);
}

#[test]
fn declared_lengths_are_held_to_the_cap_of_the_route() {
    for (path, length, status) in [
        ("/run", 8 * 1024 * 1024, 200),
        ("/run", 8 * 1024 * 1024 + 1, 413),
        ("/send", u64::MAX - 2, 413),
        ("/key", 64 * 1024, 200),
        ("/key", 70_000, 413),
    ] {
        assert_eq!(ask("POST", path).length(Some(length)).status(), status, "{path} {length}");
    }
    assert_eq!(ask("POST", "/key").length(None).status(), 200);
}

#[test]
fn a_hook_needs_the_secret_of_its_session_and_nothing_else_opens_it() {
    let hook = |session: &str, secret: &str| {
        ask("POST", &format!("/hooks/{session}")).with("authorization", format!("Bearer {secret}"))
    };
    assert_eq!(hook("a", "amx_hook").status(), 200);
    for asked in [
        hook("a", TOKEN),
        hook("a", "amx_hooks"),
        hook("a", ""),
        hook("b", "amx_hook"),
        hook("b", ""),
        hook("a", "amx_hook").without("authorization"),
        hook("a", "amx_hook").without("authorization").and("x-bridge-token", "amx_hook"),
    ] {
        assert_eq!(asked.status_at(&open_gate()), 403);
        assert_eq!(asked.status(), 403);
    }
    assert_eq!(ask("POST", "/run").with("authorization", "Bearer amx_hook").status(), 403);
}
