//! What pages point at: other pages and their headings, files of the repository, and files that are named.

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use super::page::repository;

static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\]\(([^)\s]+)\)").unwrap());
/// A file or folder of a crate, as pages name it; NAME is any.
static SOURCE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"`((?:agentmux|crates|bins)[\w/-]*/src/[\w/.]*)`").unwrap());

/// A recipe of the justfile.
static RECIPE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?m)(?:^|`)just ([a-z][a-z-]*)").unwrap());

/// What is not there of that to which a page points.
pub(crate) fn dead(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(repository().join(page)).unwrap();
    let recipes = RECIPE.captures_iter(&text).map(|found| found[1].to_owned());
    let links =
        LINK.captures_iter(&text).map(|found| found[1].to_owned()).filter(|link| !link.contains("://"));
    let sources =
        SOURCE.captures_iter(&text).map(|found| found[1].to_owned()).filter(|it| !it.contains("NAME"));
    let links = links.filter(|link| !is_there(page, link));
    let sources = sources.filter(|file| !is_source(file));
    links.chain(sources).chain(recipes.filter(|name| !is_recipe(name))).collect()
}

fn is_there(page: &str, link: &str) -> bool {
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = match file {
        "" => repository().join(page),
        file => repository().join(Path::new(page).parent().unwrap()).join(file),
    };
    let has_heading =
        || std::fs::read_to_string(&target).is_ok_and(|text| anchors(&text).any(|it| it == heading));
    target.exists() && (heading.is_empty() || has_heading())
}

/// The names that a page's headings have in links, as GitHub makes them.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| {
        let heading = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        heading.chars().filter(|c| c.is_alphanumeric() || ['-', '_'].contains(c)).collect()
    })
}

fn is_source(file: &str) -> bool {
    ["", "crates", "bins"].iter().any(|folder| repository().join(folder).join(file).exists())
}

fn is_recipe(name: &str) -> bool {
    let justfile = std::fs::read_to_string(repository().join("justfile")).unwrap();
    justfile.lines().any(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([':', ' '])))
}

#[test]
fn headings_are_named_as_github_names_them() {
    let text = "# HTTP API\n### GET /sessions/{name}/screen\nno # heading\n## What is wrong?";
    let names: Vec<_> = anchors(text).collect();
    assert_eq!(names, ["http-api", "get-sessionsnamescreen", "what-is-wrong"]);
}

#[test]
fn a_link_to_nothing_is_dead() {
    assert!(is_there("docs/api.md", "#post-run") && is_there("docs/api.md", "../README.md#first-use"));
    assert!(!is_there("docs/api.md", "#post-ran") && !is_there("docs/api.md", "nowhere.md"));
    assert!(is_source("agentmux-http/src/routes.rs") && !is_source("agentmux-http/src/nothing.rs"));
    assert!(is_recipe("bench") && is_recipe("type-check") && !is_recipe("type"));
}
