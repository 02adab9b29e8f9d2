//! `docs/api.md` against the server: a heading for each route, and under each a line that works as it stands.

use tokio::task::JoinSet;

use super::*;
use crate::routes::ROUTES;

const DOCUMENTATION: &str = include_str!("../../../../../docs/api.md");

/// The sections about routes: what they are headed by, and the lines under that.
fn sections() -> Vec<(&'static str, Vec<&'static str>)> {
    let sections = DOCUMENTATION.split("\n### ").skip(1).map(|section| {
        let (heading, text) = section.split_once('\n').unwrap();
        let text = text.split("\n## ").next().unwrap();
        (heading, text.lines().collect())
    });
    sections.collect()
}

/// The one line with curl in a section.
fn curl_line(lines: &[&'static str]) -> Option<&'static str> {
    let mut calls = lines.iter().filter(|line| line.starts_with("curl "));
    calls.next().filter(|_| calls.next().is_none()).copied()
}

#[test]
fn each_route_has_a_heading_and_one_line_to_try() {
    let routes: Vec<_> = ROUTES.iter().map(|route| format!("{} {}", route.verb.word(), route.path)).collect();
    let sections = sections();
    for route in &routes {
        let lines = sections.iter().find(|(heading, _)| heading == route).map(|(_, lines)| lines);
        let lines = lines.unwrap_or_else(|| panic!("docs/api.md lacks the heading ### {route}"));
        assert!(curl_line(lines).is_some(), "docs/api.md lacks one curl line under ### {route}");
    }
    assert_eq!(sections.len(), routes.len(), "docs/api.md has a heading too many");
}

#[test]
fn each_parameter_of_a_route_is_documented_under_it() {
    for route in ROUTES {
        let heading = format!("{} {}", route.verb.word(), route.path);
        let (_, lines) = sections().into_iter().find(|(found, _)| *found == heading).unwrap();
        for name in route.known.into_iter().flatten() {
            assert!(
                lines.iter().any(|line| line.contains(&format!("`{name}`"))),
                "`{name}` under ### {heading}"
            );
        }
    }
}

#[tokio::test]
async fn each_line_works_as_it_stands() {
    let mut tries = JoinSet::new();
    for (heading, lines) in sections() {
        tries.spawn(async move { (heading, attempt(curl_line(&lines).unwrap()).await) });
    }
    while let Some(tried) = tries.join_next().await {
        let (heading, answer) = tried.unwrap();
        // The in-memory agent never asks anything.
        let is_answer = heading.ends_with("/answer") && answer.contains("no_question");
        assert!(is_answer || answer.starts_with("HTTP/1.1 20"), "{heading}: {answer}");
    }
}

/// What a server with the session `demo` answers to the line.
async fn attempt(line: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let registry = match line.contains("$SECRET") {
        true => telling_registry(folder.path()),
        false => registry(Arc::new(FakeTerminal::default())),
    };
    let server = Running::with(registry.clone()).await;
    let mut id = String::new();
    if !line.contains(r#""name":"demo""#) {
        let (status, run) = server.post("/run", json!({"text": "hello", "name": "demo", "wait": 20})).await;
        assert_eq!(status, 200, "{run}");
        run["turn"]["id"].as_str().unwrap().clone_into(&mut id);
    }
    let secret = registry.hook_secret("demo").map(|secret| secret.expose().to_owned()).unwrap_or_default();
    let line = line
        .replace("$URL", "URL")
        .replace("$SECRET", &secret)
        .replace("$TOKEN", "amx_token")
        .replace("$ID", &id);
    server.exchange(request(&line)).await
}

/// The request that curl would send.
fn request(line: &str) -> String {
    let mut words = shell_words::split(line).unwrap().into_iter().skip(1);
    let (mut method, mut body, mut path) = (None, None, String::new());
    let mut head = "Host: localhost\r\n".to_owned();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-s" | "-N" | "-sN" => {}
            "-X" => method = words.next(),
            "-H" => head += &format!("{}\r\n", words.next().unwrap()),
            "-d" => body = words.next(),
            url => path = url.strip_prefix("URL").expect("a flag that this test knows").to_owned(),
        }
    }
    let implied = if body.is_some() { "POST" } else { "GET" };
    let method = method.unwrap_or_else(|| implied.to_owned());
    let body = body.unwrap_or_default();
    if method == "POST" {
        head +=
            &format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", body.len());
    }
    format!("{method} {path} HTTP/1.1\r\n{head}\r\n{body}")
}
