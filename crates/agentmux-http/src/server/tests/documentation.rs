//! `docs/api.md` against the server: a heading for each route, and under each a line to try. That the lines work is seen where
//! all of the documentation is followed (`tests/documents.rs`).

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
