//! HTTP as inherited: documents, tokens, paths, bodies.

use serde_json::json;

use crate::harness::{Daemon, Setup};

#[test]
fn every_answer_is_json_with_its_length() {
    let daemon = Daemon::start();
    for answer in [daemon.get("/health"), daemon.get("/nope"), daemon.stranger().get("/health")] {
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!(answer.header("content-length"), Some(answer.length().to_string().as_str()));
        answer.json();
    }
}

#[test]
fn without_the_token_everything_is_forbidden_even_paths_that_do_not_exist() {
    let daemon = Daemon::start();
    let stranger = daemon.stranger();
    for (method, path, header) in [
        ("GET", "/health", "X-None: 1"),
        ("GET", "/nope", "X-None: 1"),
        ("POST", "/run", "X-None: 1"),
        ("GET", "/health", "Authorization: Bearer wrong"),
        ("GET", "/health", "Authorization: Bearer"),
        ("GET", "/health", "X-Bridge-Token: wrong"),
        ("GET", "/health?token=wrong", "Authorization: Basic d3Jvbmc="),
    ] {
        let answer = stranger.ask(method, path, &[header], b"");
        assert_eq!(
            (answer.status, answer.json()),
            (403, json!({"error": "forbidden"})),
            "{method} {path} {header}"
        );
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
}

#[test]
fn both_headers_take_the_token_in_any_letter_case() {
    let daemon = Setup::new().env("AGENTMUX_TOKEN", "s3cret").start();
    for header in [
        "Authorization: Bearer s3cret",
        "authorization: bearer s3cret",
        "AUTHORIZATION: BEARER s3cret",
        "X-Bridge-Token: s3cret",
        "x-bridge-token: s3cret",
    ] {
        assert_eq!(daemon.stranger().ask("GET", "/health", &[header], b"").status, 200, "{header}");
    }
}

#[test]
fn the_generated_token_is_accepted_besides_a_configured_one() {
    let mut daemon = Daemon::start();
    let generated = std::fs::read_to_string(daemon.state().join("token")).unwrap();
    assert!(daemon.stop("TERM").success());
    daemon.set("AGENTMUX_TOKEN", "s3cret");
    daemon.start_again();
    for token in ["s3cret", generated.trim()] {
        let header = format!("Authorization: Bearer {token}");
        assert_eq!(daemon.stranger().ask("GET", "/health", &[&header], b"").status, 200, "{token}");
    }
}

#[test]
fn an_empty_token_opens_the_api_to_this_machine() {
    let daemon = Setup::new().env("AGENTMUX_TOKEN", "").start();
    daemon.stranger().get("/health").ok();
    let foreign = daemon.stranger().ask("GET", "/health", &["Origin: https://evil.example"], b"");
    assert_eq!(foreign.status, 403);
}

#[test]
fn an_unknown_path_is_not_found_and_a_wrong_method_is_told_the_right_one() {
    let daemon = Daemon::start();
    let answer = daemon.get("/nope");
    assert_eq!((answer.status, answer.json()), (404, json!({"error": "not found"})));
    assert_eq!(daemon.post("/nope", json!({})).status, 404);
    let answer = daemon.get("/run");
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    let answer = daemon.post("/health", json!({}));
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")));
}

#[test]
fn an_absent_and_an_empty_body_are_an_empty_object() {
    let daemon = Daemon::start();
    daemon.ask("POST", "/run", &[], b"").refused(400, "text is required");
    let bare = format!(
        "POST /kill HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{}\r\n\r\n",
        daemon.authorization()
    );
    daemon.raw(bare.as_bytes()).refused(400, "session is required");
    assert_eq!(daemon.ask("POST", "/cleanup", &[], b"").ok()["killed"], json!([]));
}

#[test]
fn bad_bodies_get_the_inherited_sentences() {
    let daemon = Daemon::start();
    for (body, error) in [
        (&b"{\"text\": \"\xff\"}"[..], "request body must be utf-8"),
        (b"{", "invalid JSON body"),
        (b"{} x", "invalid JSON body"),
        (b"[]", "JSON body must be an object"),
        (b"\"x\"", "JSON body must be an object"),
        (b"null", "JSON body must be an object"),
    ] {
        daemon.ask("POST", "/run", &[], body).refused(400, error);
    }
}

#[test]
fn a_wrong_content_length_is_a_400() {
    let daemon = Daemon::start();
    for length in ["-1", "x"] {
        let authorization = daemon.authorization();
        let request = format!(
            "POST /run HTTP/1.1\r\nHost: localhost\r\n{authorization}\r\nContent-Length: {length}\r\n\r\n"
        );
        assert_eq!(daemon.raw(request.as_bytes()).status, 400, "{length}");
    }
}

#[test]
fn the_content_type_of_curl_is_not_looked_at() {
    let daemon = Daemon::start();
    let curl = ["Content-Type: application/x-www-form-urlencoded"];
    daemon.ask("POST", "/kill", &curl, br#"{"session":"x"}"#).refused(404, "session 'x' not found");
}
