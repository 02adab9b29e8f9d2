//! The questions on recorded screens of the real agents, as a person would tell them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use agentmux_core::profile::Profiles;
use agentmux_core::question::{Question, find};
use agentmux_core::screen::Screen;

/// Of an agent, in each of its modes and sizes, what a screen asks. A text or label that ends in `…` goes on.
struct Expected {
    agent: &'static str,
    what: &'static str,
    kind: &'static str,
    text: &'static str,
    /// The selected one is marked by `>`.
    options: &'static [&'static str],
    takes: &'static str,
}

const fn asks(
    (agent, what): (&'static str, &'static str),
    kind: &'static str,
    text: &'static str,
    options: &'static [&'static str],
    takes: &'static str,
) -> Expected {
    Expected { agent, what, kind, text, options, takes }
}

const DECIDED: &str = "choice approve deny";
const CLAUDE_TRUST: &[&str] = &[">No, exit", "Yes, I trust this folder"];
const COLOURS: &[&str] = &[">Red", "Blue", "Type something.", "Chat about this"];
const CODEX_LOGIN: &[&str] = &[">Sign in with ChatGPT", "Sign in with Device Code", "Sign in another way"];
const GEMINI_TRUST: &[&str] = &[">Trust folder (proj)", "Trust parent folder…", "Don't trust"];

#[rustfmt::skip]
const EXPECTED: &[Expected] = &[
    asks(("claude", "permission-shell"), "permission",
        "Bash command\nRun the requested command\nrm -f zzz\nDo you want to proceed?",
        &[">Yes", "Yes, and always allow access to /home/dev/…", "Yes, and switch to auto mode · auto mode handles these prompts for you", "No"], DECIDED),
    asks(("claude", "permission-write"), "permission",
        "Create file\nwritten.txt\n 1 one\n 2 two\nDo you want to create written.txt?",
        &[">Yes", "Yes, and switch to accept edits (auto-approve file edits and common file commands) for this session (shift+tab)", "No"], DECIDED),
    asks(("claude", "ask-user"), "question", "Which colour do you prefer?", COLOURS, "choice text deny"),
    asks(("claude", "dialog-trust"), "trust", "Accessing workspace:\n…", CLAUDE_TRUST, DECIDED),
    asks(("claude", "onboarding-2"), "trust", "Accessing workspace:\n…", CLAUDE_TRUST, DECIDED),
    asks(("claude", "dialog-bypass"), "trust", "WARNING: Claude Code running in Bypass…", &[">No, exit", "Yes, I accept"], DECIDED),
    asks(("claude", "dialog-api-key"), "login", "Detected a custom API key in your environment\n…", &["Yes", ">No (recommended)"], DECIDED),
    asks(("claude", "onboarding-0"), "choice", "Let's get started.\n…",
        &[">Auto (match terminal)", "Dark mode", "Light mode", "Dark mode (colorblind-friendly)", "Light mode (colorblind-friendly)",
          "Dark mode (ANSI colors only)", "Light mode (ANSI colors only)"], "choice"),
    asks(("claude", "onboarding-1"), "choice", "Security notes:\n…", &[], "approve"),
    asks(("claude", "dialog-status"), "choice", "…", &[], "deny"),
    // On 24 rows the rest of the list is below the screen.
    asks(("claude", "dialog-model"), "choice", "Select model\n…", &[">Default (recommended)", "Opus", "Fable", "…"], "choice deny"),

    asks(("codex", "permission-shell"), "permission",
        "Would you like to run the following command?\n\nEnvironment: local\n\nReason: The mock wants to run this outside the sandbox\n\n$ rm -f zzz",
        &[">Yes, proceed (y)", "Yes, and don't ask again for commands that start with `rm -f zzz` (p)", "No, and tell Codex what to do differently (esc)"], DECIDED),
    asks(("codex", "untrusted-git"), "trust", "Folder access\n/home/dev/…", &[">Trust and continue", "Back to Agent Command Center"], "choice approve"),
    asks(("codex", "virgin"), "login", "Choose how you want to use Codex.", CODEX_LOGIN, "choice"),
    asks(("codex", "dialog-model"), "choice", "Select Model and Effort",
        &[">GPT-6.1-Sol", "GPT-6-Astra", "GPT-6-Sol", "GPT-6-Luna", "GPT-5.6-Sol", "GPT-6.1 Terra", "GPT-5.6-Terra", "GPT-5.6-Luna"], "choice deny"),

    asks(("codex", "perm"), "permission", "Would you like to run the following command?\n…",
        &[">Yes, proceed (y)", "Yes, and don't ask again for commands that start with `rm -rf build…", "No, and tell Codex what to do differently (esc)"], DECIDED),
    asks(("codex", "ask"), "question", "Which colour?", &[">Red", "Blue", "None of the above"], "choice deny"),

    asks(("gemini", "perm-shell"), "permission", "? Shell  python3 -c…", &[">Allow once", "Allow for this session", "No, suggest changes (esc)"], DECIDED),
    asks(("gemini", "perm-edit"), "permission", "? WriteFile  Writing to edited.txt\n1 hello\n2 world\nApply this change?",
        &[">Allow once", "Allow for this session", "Modify with external editor", "No, suggest changes (esc)"], DECIDED),
    asks(("gemini", "ask-user"), "question", "Which color?", &[">Red", "Blue", "Enter a custom value"], "choice text deny"),
    asks(("gemini", "dialog-gemini-nokey"), "trust", "Do you trust the files in this folder?\n…", GEMINI_TRUST, DECIDED),
    asks(("gemini", "dialog-gemini-trust"), "trust", "Do you trust the files in this folder?\n…", GEMINI_TRUST, DECIDED),
    asks(("gemini", "dialog-gemini-nokey-after-enter"), "login", "How would you like to authenticate for this project?",
        &[">Sign in with Google", "Use Gemini API Key", "Vertex AI"], "choice"),
    asks(("gemini", "dialog-gemini-trust-after-enter"), "login", "How would you like to authenticate for this project?",
        &["Sign in with Google", ">Use Gemini API Key", "Vertex AI"], "choice"),
    asks(("gemini", "auth"), "login", "How would you like to authenticate for this project?",
        &["Sign in with Google", ">Use Gemini API Key", "Vertex AI"], "choice"),
    asks(("gemini", "perm"), "permission", "? Shell  touch x1\ntouch x1\nAllow execution of [Shell]?",
        &[">Allow once", "Allow for this session", "No, suggest changes (esc)"], DECIDED),
    asks(("gemini", "edit"), "permission", "? WriteFile  Writing to w.txt\n1 one\n2 two\nApply this change?",
        &[">Allow once", "Allow for this session", "Modify with external editor", "No, suggest changes (esc)"], DECIDED),
    asks(("gemini", "usage-limit"), "choice",
        "Usage limit reached for gemini-3.8-flash.\n/stats model for usage details\n/model to switch models.",
        &[">Keep trying", "Stop"], DECIDED),
    asks(("gemini", "ask"), "question", "Which colour do you prefer?", &[">Red", "Blue", "Enter a custom value"], "choice text deny"),

    asks(("opencode", "perm-shell"), "permission",
        "△ Permission required\n  # Shell command\n\n$ python3 -c \"import time; time.sleep(4)\"; echo tool-stdout",
        &[">Allow once", "Allow always", "Reject"], DECIDED),
    asks(("opencode", "perm-edit"), "permission", "△ Permission required\n  → Edit edited.txt\n\n1 + hello\n2 + world",
        &[">Allow once", "Allow always", "Reject"], DECIDED),
    asks(("opencode", "ask-user"), "question", "Which color?", &[">Red", "Blue", "Type your own answer"], "choice text deny"),
    asks(("opencode", "perm"), "permission", "△ Permission required\n  # Shell command\n\n$ touch x1",
        &[">Allow once", "Allow always", "Reject"], DECIDED),
    asks(("opencode", "edit"), "permission", "△ Permission required\n  → Edit w.txt\n\n…",
        &[">Allow once", "Allow always", "Reject"], DECIDED),
    asks(("opencode", "ask"), "question", "Which colour do you prefer?", &[">Red", "Blue", "Type your own answer"], "choice text deny"),

    asks(("qwen", "perm-shell"), "permission", "? Shell python3 -c…",
        &[">Yes, allow once", "Always allow run 'python3 *' commands in this project", "Always allow run 'python3 *' commands for this user", "No, suggest changes (esc)"], DECIDED),
    asks(("qwen", "perm-edit"), "permission", "? WriteFile Writing to edited.txt ←\n\n 1 hello\n 2 world\n\n Apply this change?",
        &[">Yes, allow once", "Yes, allow always", "No, suggest changes (esc)"], DECIDED),
    asks(("qwen", "ask-user"), "question", "Color\n\nWhich color?", &[">Red", "Blue", "Type something..."], "choice text deny"),
    asks(("qwen", "dialog-qwen-nokey"), "login", "Connect a Provider", &[">Alibaba ModelStudio", "Third-party Providers", "Custom Provider"], "choice"),
    asks(("qwen", "dialog-qwen-nokey-after-enter"), "login", "Alibaba ModelStudio · Access Method",
        &[">Coding Plan", "Token Plan", "Standard API Key"], "choice"),
    asks(("qwen", "perm"), "permission", "? Shell touch x1 (Run the requested command) ←\n\n   touch x1\n\n Allow execution of: 'touch'?",
        &[">Yes, allow once", "Always allow run 'touch *' commands in this pr…", "Always allow run 'touch *' commands for this u…", "No, suggest changes (esc)"], DECIDED),
    asks(("qwen", "ask"), "question", "Colour\n\nWhich colour do you prefer?", &[">Red", "Blue", "Type something..."], "choice text deny"),

    asks(("copilot", "trust"), "trust", "Do you trust the files in this folder?",
        &[">Yes", "Yes, and remember this folder for future sessions", "No (Esc)"], DECIDED),
    asks(("copilot", "perm"), "permission", "Run the requested command\ntouch x1\n\nDo you want to run this command?",
        &[">Yes", "Yes, and don't ask again for `touch` in this repo (/home/proj/work-copilot…", "No, and tell Copilot what to do differently (Esc to stop)"], DECIDED),
    asks(("copilot", "edit"), "permission", "Create file\n…",
        &[">Yes", "Yes, and don't ask again for file operations when in this repo (/home/proj/work-copilot…", "No, and tell Copilot what to do differently (Esc to stop)"], DECIDED),
    asks(("copilot", "ask"), "question", "Copilot needs information.\nstand-in message", &[], "approve deny"),

    asks(("bash", "asks"), "question", "Proceed? [y/N]", &[], "text"),
    asks(("bash", "password"), "question", "Password:", &[], "text"),
    asks(("bash", "password-dollar"), "question", "Password for $USER:", &[], "text"),
    asks(("bash", "select"), "question", "#?", &[], "text"),
    asks(("python", "asks"), "question", "Proceed? [y/N]", &[], "text"),
];

/// What a person opened, who will close it: it asks nothing.
const OVERLAYS: &[(&str, &[&str])] = &[
    ("claude", &["effort", "resume", "usage-tab"]),
    (
        "codex",
        &["agent", "browsing-transcript", "diff", "experimental", "rename", "resume", "title", "transcript"],
    ),
    ("copilot", &["agent", "session"]),
];

/// The recorded questions: file, agent, what, screen.
fn recorded() -> Vec<(String, String, String, Screen)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/screens");
    let mut all = Vec::new();
    for folder in root.read_dir().unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let agent = name.split('-').next().unwrap().to_owned();
        for file in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
            let stem = file.file_stem().unwrap().to_str().unwrap();
            let what = stem.strip_prefix("needs_input--").and_then(|what| what.split('.').next());
            if let (Some(what), true) = (what, file.extension().is_some_and(|end| end == "ansi")) {
                let screen = Screen::from_ansi(&std::fs::read_to_string(&file).unwrap());
                all.push((format!("{name}/{stem}"), agent.clone(), what.to_owned(), screen));
            }
        }
    }
    all
}

fn is(expected: &str, text: &str) -> bool {
    expected.strip_suffix('…').map_or(expected == text, |begin| text.starts_with(begin))
}

fn differs(expected: &Expected, question: &Question) -> Option<String> {
    let label = |option: &agentmux_core::question::Choice| {
        format!("{}{}", if option.selected { ">" } else { "" }, option.label)
    };
    let labels: Vec<_> = question.options.iter().map(label).collect();
    let open = expected.options.last() == Some(&"…");
    let wanted = &expected.options[..expected.options.len() - usize::from(open)];
    let same = (labels.len() == wanted.len() || open)
        && wanted.iter().zip(&labels).all(|(wanted, label)| is(wanted, label));
    let numbers_are_places = question.options.iter().zip(1..).all(|(option, place)| option.number == place);
    let right = same
        && numbers_are_places
        && question.kind.word() == expected.kind
        && is(expected.text, &question.text)
        && question.takes.words().join(" ") == expected.takes;
    (!right).then(|| format!("{question:#?}"))
}

#[test]
fn recorded_questions_are_read_as_a_person_would_tell_them() {
    let profiles = Profiles::builtin();
    let recorded = recorded();
    assert!(recorded.len() >= 75, "{}", recorded.len());
    let is_overlay = |agent: &str, what: &str| {
        OVERLAYS.iter().any(|(of, overlays)| *of == agent && overlays.contains(&what))
    };
    for (file, agent, what, screen) in
        recorded.into_iter().filter(|(_, agent, what, _)| !is_overlay(agent, what))
    {
        let expected = EXPECTED.iter().find(|expected| (expected.agent, expected.what) == (&agent, &what));
        let expected = expected.unwrap_or_else(|| panic!("{file}: say in EXPECTED what it asks"));
        let question = find(&profiles.get(&agent).unwrap(), &screen);
        let question = question.unwrap_or_else(|| panic!("{file}: no question is found"));
        if let Some(differs) = differs(expected, &question) {
            panic!("{file}: {differs}");
        }
    }
}

#[test]
fn what_agents_showed_at_other_times_is_read_too() {
    for (agent, screen, kind, text, labels, takes) in [
        (
            "claude",
            "❯ ASK\n────────────\n←  ☒ Colour  ☐ Size  ✔ Submit  →\n\nWhich sizes?\n\n❯ 1. [✔] Small\n         s\n  2. [ ] Large\n         l\n  \
             3. [ ] Type something\n     Submit\n────────────\n  4. Chat about this\n\nEnter to select · Tab/Arrow keys to navigate · Esc to cancel",
            "question",
            "Which sizes?",
            &["Small", "Large", "Type something", "Submit", "Chat about this"][..],
            "choice text deny",
        ),
        (
            "claude",
            "❯ ASK\n────────────\n←  ☒ Colour  ☒ Size  ✔ Submit  →\n\nReview your answers\n\n ● Which sizes?\n   → Small\n\n❯ 1. Submit answers\n  2. Cancel",
            "question",
            "Review your answers\n\n ● Which sizes?\n   → Small",
            &["Submit answers", "Cancel"],
            "choice approve deny",
        ),
        (
            "aider",
            "Add x.py to the chat?\n\n  rm -f zzz\nRun shell command? (Y)es/(N)o/(D)on't ask again [Yes]: ",
            "permission",
            "  rm -f zzz\nRun shell command? (Y)es/(N)o/(D)on't ask again [Yes]:",
            &["Yes", "No", "Don't ask again"],
            "choice approve deny",
        ),
    ] {
        let question = find(&Profiles::builtin().get(agent).unwrap(), &Screen::from_ansi(screen));
        let question = question.unwrap_or_else(|| panic!("{screen}"));
        let found: Vec<_> = question.options.iter().map(|option| option.label.as_str()).collect();
        assert_eq!((question.kind.word(), question.text.as_str()), (kind, text));
        assert_eq!(
            (found.as_slice(), question.takes.words().join(" ").as_str()),
            (labels, takes),
            "{screen}"
        );
    }
}
