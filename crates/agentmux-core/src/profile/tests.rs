//! What profiles are refused for, at which line; and what `extends` makes of two.

use std::path::{Path, PathBuf};

use super::*;

const SMALL: &str = "command = ['x']\nprompt = '^> (?P<text>.*)$'\n";
const BOX: &str = "command = ['x']\n[box]\ntext = '^> (?P<text>.*)$'\n";

/// A folder of profiles, by name and text, over those compiled in.
fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, Definitions) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(format!("{name}.toml")), text).unwrap();
    }
    let mut definitions = Definitions::builtin();
    definitions.add_folder(folder.path()).unwrap();
    (folder, definitions)
}

fn read(text: &str) -> Result<Profile, ProfileError> {
    folder(&[("x", text)]).1.profile("x")
}

#[track_caller]
fn refused(text: &str, line: usize, parts: &[&str]) {
    let error = read(text).map(|_| ()).expect_err(text);
    let said = error.to_string();
    assert!(said.starts_with("profile /") && said.contains(&format!("/x.toml:{line}: ")), "{said}\n{text}");
    assert!(parts.iter().all(|part| error.reason.contains(part)), "{said}\n{text}");
}

/// Mistakes in a rule that stands at line 3 (without a box) or 4; the line; what is said.
const RULES: [(&str, &str, usize, &str); 20] = [
    (
        SMALL,
        "state = 'busy'\nregion = 'screen'\nmatch = 'x'\nnot = 'x'",
        8,
        "rule 'a': not: is what match asks for",
    ),
    (SMALL, "state = 'busy'\nregion = 'screen'\nnot = '.*'", 7, "rule 'a': not: matches every row"),
    (SMALL, "state = 'exited'\ntitle = 'x'", 5, "rule 'a': state: 'exited' is told by the pane"),
    (
        SMALL,
        "state = 'busy'\nregion = 'screen'\nmatch = '('",
        7,
        "rule 'a': match: is no regular expression: unclosed group",
    ),
    (SMALL, "state = 'busy'", 3, "rule 'a': has no condition"),
    (SMALL, "state = 'busy'\nmatch = 'x'", 3, "rule 'a': has match or not without a region"),
    (SMALL, "state = 'busy'\nbox = 'empty'", 6, "rule 'a': box: the profile has no box"),
    (
        SMALL,
        "state = 'busy'\nregion = 'above_box'\nmatch = 'x'",
        6,
        "rule 'a': region: the profile has no box",
    ),
    (SMALL, "state = 'happy'\ntitle = 'x'", 5, "happy"),
    (SMALL, "title = 'x'", 3, "missing field `state`"),
    (SMALL, "state = 'busy'\nregion = 'left'\nmatch = 'x'", 6, "rule 'a': region: 'left' is unknown"),
    (SMALL, "state = 'busy'\nregion = 'screen'\nrows = 2\nmatch = 'x'", 7, "rule 'a': rows: goes with"),
    (
        SMALL,
        "state = 'busy'\nregion = 'last'\nrows = 0\nmatch = 'x'",
        7,
        "rule 'a': rows: must be at least 1",
    ),
    (SMALL, "state = 'busy'\ncolour = 'red'", 6, "colour"),
    (SMALL, "state = 'busy'\ntitle = 5", 6, "expected a string"),
    (SMALL, "state = 'busy'\nregion = 'screen'\nmatch = '$^a'", 7, "rule 'a': match: can never match"),
    (SMALL, "state = 'busy'\nregion = 'screen'\nmatch = 'a\\nb'", 7, "rule 'a': match: can never match"),
    (SMALL, "state = 'busy'\ntitle = 'a^'", 6, "rule 'a': title: can never match"),
    (
        BOX,
        "state = 'busy'\nbox = 'absent'\nregion = 'below_box'\nmatch = 'x'",
        8,
        "rule 'a': region: is beside a box that must be absent",
    ),
    (
        SMALL,
        "state = 'busy'\ntitle = 'x'\n[[rule]]\nname = 'a'\nstate = 'idle'\ntitle = 'y'",
        8,
        "rule 'a': name: there is another one",
    ),
];

#[test]
fn mistakes_in_rules_are_named_with_their_line() {
    for (profile, rule, line, part) in RULES {
        refused(&format!("{profile}[[rule]]\nname = 'a'\n{rule}"), line, &[part]);
    }
}

#[test]
fn mistakes_elsewhere_are_named_with_their_line() {
    for (text, line, part) in [
        ("prompt = '^> (?P<text>.*)$'", 1, "missing field `command`"),
        ("command = []\nprompt = '^> (?P<text>.*)$'", 1, "command: command is empty"),
        ("command = ['x']", 1, "has neither 'box' nor 'prompt'"),
        ("command = ['x']\nprompt = '> '", 2, "prompt: has no group named text"),
        ("command = ['x']\nprompt = '^> (?P<text>.*)$'\ncolour = 'red'", 3, "unknown field `colour`"),
        ("command = ['x']\nprompt = \n", 2, ""),
        ("command = ['x']\ncommand = ['y']", 2, "duplicate key"),
        ("command = ['x']\nname = 'y'\nprompt = '^> (?P<text>.*)$'", 2, "name: must be 'x'"),
        ("command = ['x']\n[box]\ntext = '^> .*$'", 3, "box: text: has no group"),
        ("command = ['x']\n[box]\ntext = '$x(?P<text>.*)'", 3, "box: text: can never match"),
        (
            "command = ['x']\n[box]\nbetween = '─'\nbelow = 'x'\ntext = '^> (?P<text>.*)$'",
            4,
            "box: below: does not go",
        ),
    ] {
        refused(text, line, &[part]);
    }
    for (text, line, part) in [
        ("[submit]\nclear = ['ctrl-u', 'hyper-x']", 4, "submit: clear: "),
        ("[submit]\npause_ms = -1", 4, "invalid value"),
        ("[reply]\ndrop = ['(']", 4, "reply: drop: is no regular"),
        ("[attachments]\nword = '\\[x\\]'", 3, "missing field `path`"),
        ("[attachments]\nword = '['\npath = 'x'", 4, "attachments: word: is no regular"),
        ("[attachments]\nword = '$x'\npath = 'x'", 4, "attachments: word: can never match"),
        ("[attachments]\nword = 'x'\npath = '('", 5, "attachments: path: is no regular"),
        ("[attachments]\nword = 'x'\npath = '(?:/x)?'", 5, "attachments: path: matches where nothing is"),
        ("[env]\nTMUX = 'x'", 4, "env: TMUX: the variable \"TMUX\" is not allowed"),
        ("[[dialog]]\nname = 'd'", 3, "missing field `match`"),
        (
            "[[dialog]]\nname = 'd'\nmatch = 'x'\nconsent = 'argument'",
            6,
            "dialog 'd': consent: 'argument' needs",
        ),
        (
            "[[dialog]]\nname = 'd'\nmatch = 'x'\nconsent = 'maybe'",
            6,
            "dialog 'd': consent: 'maybe' is unknown",
        ),
        ("[[dialog]]\nname = 'd'\nmatch = 'x'\nargument = 'y'", 6, "dialog 'd': argument: goes with"),
        ("[[dialog]]\nname = 'd'\nmatch = '['", 5, "dialog 'd': match: is no regular"),
    ] {
        refused(&format!("{SMALL}{text}"), line, &[part]);
    }
}

/// Two rules over a box: whether the second can never decide.
const PAIRS: [(&str, &str, bool); 22] = [
    ("region = 'last'\nfrom = 'y'", "region = 'screen'\nfrom = 'y'\nmatch = 'x'", false),
    ("region = 'screen'\nfrom = 'y'", "region = 'screen'\nfrom = 'y'\nmatch = 'x'", true),
    ("region = 'screen'\nmatch = '.*'", "region = 'last'\nmatch = 'x'", true),
    ("region = 'screen'\nmatch = 'x'", "region = 'below_box'\nmatch = 'x'", false),
    ("region = 'last'\nmatch = 'x'", "region = 'last'\njoined = true\nmatch = 'x'", false),
    ("region = 'screen'\nmatch = 'x'", "region = 'screen'\nfrom = 'y'\nmatch = 'x'", true),
    ("region = 'screen'\nnot = 'x'", "region = 'screen'\nfrom = 'y'\nnot = 'x'", false),
    ("cursor = ['visible']", "cursor = ['in_box', 'visible']", true),
    ("title = 'x'", "title = 'x'", true),
    ("title = 'x'", "title = 'y'", false),
    ("title = 'x'", "title = 'x'\nbox = 'empty'", true),
    ("title = 'x'\nbox = 'empty'", "title = 'x'", false),
    ("box = 'present'", "box = 'text'", true),
    ("box = 'text'", "box = 'present'", false),
    ("box = 'present'", "region = 'below_box'\nmatch = 'x'", true),
    ("region = 'screen'\nmatch = 'x'", "region = 'last'\nmatch = 'x'", true),
    ("region = 'last'\nmatch = 'x'", "region = 'screen'\nmatch = 'x'", false),
    ("region = 'last'\nrows = 5\nmatch = 'x'", "region = 'last'\nrows = 3\nmatch = 'x'", true),
    ("region = 'last'\nrows = 3\nmatch = 'x'", "region = 'last'\nrows = 5\nmatch = 'x'", false),
    ("region = 'last'\nnot = 'x'", "region = 'screen'\nnot = 'x'", true),
    ("region = 'screen'\nnot = 'x'", "region = 'last'\nnot = 'x'", false),
    ("region = 'above_box'\nnot = 'x'", "region = 'screen'\nnot = 'x'", false),
];

#[test]
fn a_rule_that_can_never_decide_is_refused() {
    for (first, second, hidden) in PAIRS {
        let rule = |name: &str, conditions: &str| {
            format!("[[rule]]\nname = '{name}'\nstate = 'busy'\n{conditions}\n")
        };
        let text = format!("{BOX}{}{}", rule("a", first), rule("b", second));
        match read(&text) {
            Err(error) if hidden => {
                assert!(
                    error.reason.starts_with("rule 'b': can never decide: rule 'a' above"),
                    "{error}\n{text}"
                );
            }
            Ok(_) if !hidden => {}
            other => panic!("{:?}\n{text}", other.map(|_| ())),
        }
    }
}

#[test]
fn a_wrapper_is_the_agent_that_it_extends_with_variables_of_its_own() {
    let (folder, definitions) =
        folder(&[("glm", "extends = 'claude'\n[env]\nANTHROPIC_BASE_URL = 'https://x'\n")]);
    let (glm, claude) = (definitions.profile("glm").unwrap(), definitions.profile("claude").unwrap());
    assert_eq!((glm.name.as_str(), &glm.command), ("glm", &claude.command));
    assert_eq!(glm.origin, Origin::File(folder.path().join("glm.toml")));
    assert_eq!(glm.env.len(), claude.env.len() + 1);
    assert_eq!((glm.rules.len(), glm.dialogs.len()), (claude.rules.len(), claude.dialogs.len()));
}

#[test]
fn a_file_named_like_a_builtin_one_replaces_it_and_may_extend_it() {
    let (_folder, definitions) =
        folder(&[("claude", "extends = 'claude'\ncommand = ['claude', '--x']"), ("codex", SMALL)]);
    assert_eq!(definitions.profile("claude").unwrap().command, ["claude", "--x"]);
    assert_eq!(definitions.profile("claude").unwrap().dialogs.len(), 5);
    assert!(definitions.profile("codex").unwrap().dialogs.is_empty());
}

#[test]
fn own_rules_come_first_and_replace_those_of_their_name() {
    let base = format!(
        "{BOX}placeholder = 'x'\n[[rule]]\nname = 'a'\nstate = 'busy'\ntitle = 'a'\n[[rule]]\nname = 'b'\nstate = 'busy'\ntitle = 'b'\n\
         [[rule]]\nname = 'c'\nstate = 'busy'\ntitle = 'c'\n"
    );
    let own = "extends = 'base'\n[remove]\nrule = ['a']\nkey = ['box.placeholder']\n[box]\nnot = 'y'\n\
               [[rule]]\nname = 'd'\nstate = 'idle'\ntitle = 'd'\n[[rule]]\nname = 'c'\nstate = 'idle'\ntitle = 'C'\n";
    let (_folder, definitions) = folder(&[("base", &base), ("own", own)]);
    let own = definitions.profile("own").unwrap();
    let rules: Vec<_> = own.rules.iter().map(|rule| (rule.name.as_str(), rule.state)).collect();
    assert_eq!(rules, [("d", State::Idle), ("b", State::Busy), ("c", State::Idle)]);
    let InputBox { not, placeholder, .. } = own.input.as_ref().unwrap();
    assert!(not.is_some() && placeholder.is_none());
}

#[test]
fn mistakes_in_extended_profiles_are_named_where_they_stand() {
    let base = format!("{SMALL}\n[[rule]]\nname = 'a'\nstate = 'busy'\ntitle = '('\n");
    let good = format!(
        "{SMALL}\n[[rule]]\nname = 'a'\nstate = 'busy'\ntitle = 'x'\nregion = 'screen'\nmatch = 'y'\n"
    );
    for (files, agent, wanted) in [
        (
            &[("base", &*base), ("own", "\n\nextends = 'base'\n")][..],
            "own",
            "/base.toml:7: rule 'a': title: ",
        ),
        (&[("base", &*good), ("own", "\nextends = 'base'\nprompt = '('\n")], "own", "/own.toml:3: prompt: "),
        (&[("base", &*good), ("own", "extends = 'base'\nx = 1\n")], "own", "/own.toml:2: unknown field `x`"),
        (
            &[
                ("base", &*good),
                ("own", "extends = 'base'\n[[rule]]\nname = 'b'\nstate = 'idle'\ntitle = 'x'\n"),
            ],
            "own",
            "/own.toml:2: rule 'b': holds wherever the inherited rule 'a' would",
        ),
        (&[("own", "\nextends = 'nobody'\n")], "own", "/own.toml:2: extends: there is no 'nobody'"),
        (&[("own", "\nextends = 'own'\n")], "own", "/own.toml:2: extends: there is no 'own' below it"),
        (&[("own", "extends = 5\n")], "own", "/own.toml:1: extends: must be the name"),
        (
            &[("p", "extends = 'q'\n"), ("q", "\nextends = 'p'\n")],
            "p",
            "/q.toml:2: extends: goes in a circle: p, q and again p",
        ),
        (
            &[("own", "extends = 'demo'\n[remove]\nrule = ['no such']\n")],
            "own",
            "/own.toml:3: remove: rule: 'no such' is not there",
        ),
        (
            &[(
                "own",
                "extends = 'demo'\n[remove]\nkey = ['box.between']\n[box]\nbelow = 'x'\nbetween = 5\n",
            )],
            "own",
            "/own.toml:6: ",
        ),
    ] {
        let error = folder(files).1.profile(agent).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}\nnot: {wanted}");
    }
}

#[test]
fn an_entry_of_the_configuration_is_a_layer_of_its_own() {
    let mut definitions = folder(&[("claude", "extends = 'claude'\ncommand = ['mine']\n")]).1;
    let config = Path::new("/c/config.json");
    let entry = serde_json::json!({"extends": "claude", "env": {"A": "b"}});
    definitions.add_entry("glm", &entry, config).unwrap();
    definitions.add_entry("claude", &serde_json::json!({"env": {"C": "d"}}), config).unwrap();
    let (glm, claude) = (definitions.profile("glm").unwrap(), definitions.profile("claude").unwrap());
    assert_eq!((&*glm.command, &*glm.env["A"], &*glm.env["C"]), (&["mine".to_owned()][..], "b", "d"));
    assert_eq!((&*claude.command, claude.env.contains_key("A")), (&["mine".to_owned()][..], false));
    assert_eq!(glm.origin, Origin::Entry(PathBuf::from("/c/config.json")));

    for (name, entry, part) in [
        ("x", serde_json::json!({"prompt": "x"}), "profile x in /c/config.json: unknown field `prompt`"),
        ("x", serde_json::json!({"env": {}}), "needs \"extends\""),
        ("x", serde_json::json!({"extends": "claude", "env": {"A": 5}}), "expected a string"),
        ("a b", serde_json::json!({"extends": "claude"}), "the agent's name"),
        ("x", serde_json::json!(5), "profile x in /c/config.json: "),
    ] {
        let error = definitions.add_entry(name, &entry, config).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    definitions.add_entry("y", &serde_json::json!({"extends": "claude", "command": []}), config).unwrap();
    let error = definitions.profile("y").map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        error,
        "profile y in /c/config.json: command: command is empty; give a program and its arguments"
    );
}

#[test]
fn a_file_takes_the_place_of_an_earlier_one_below_the_entries() {
    let mut definitions =
        folder(&[("claude", "extends = 'claude'\ncommand = ['mine']\n[remove]\nrule = ['dialog']")]).1;
    let entry = serde_json::json!({"env": {"A": "b"}});
    definitions.add_entry("claude", &entry, Path::new("/c/config.json")).unwrap();
    let work = tempfile::tempdir().unwrap();
    let file = work.path().join("claude.toml");
    std::fs::write(&file, "extends = 'claude'\ncommand = ['new']\n[remove]\nrule = ['dialog']").unwrap();
    assert_eq!(definitions.add_file(&file).unwrap().as_str(), "claude");
    let claude = definitions.profile("claude").unwrap();
    assert_eq!((&*claude.command, &*claude.env["A"]), (&["new".to_owned()][..], "b"));
}

#[test]
fn a_folder_is_read_for_its_profiles_only() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [("x.toml", SMALL), (".x.toml.swp", "?"), (".hidden.toml", "?"), ("notes.txt", "?")] {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let mut definitions = Definitions::builtin();
    definitions.add_folder(dir.path()).unwrap();
    definitions.add_folder(&dir.path().join("nowhere")).unwrap();
    assert!(definitions.read().unwrap().contains("x"));

    std::fs::create_dir(dir.path().join("y.toml")).unwrap();
    let error = definitions.add_folder(dir.path()).unwrap_err().to_string();
    assert!(error.ends_with("/y.toml: is not a file"), "{error}");
    std::fs::remove_dir(dir.path().join("y.toml")).unwrap();
    std::fs::write(dir.path().join("a b.toml"), SMALL).unwrap();
    let error = definitions.add_folder(dir.path()).unwrap_err().to_string();
    assert!(error.contains("/a b.toml: the file's name"), "{error}");
}

#[test]
fn a_profile_is_shown_as_written_or_merged() {
    let (_folder, definitions) = folder(&[("own", "extends = 'repl'\ncommand = ['x']\n"), ("x", SMALL)]);
    assert_eq!(definitions.text("x").unwrap(), SMALL);
    let merged = definitions.text("own").unwrap();
    assert!(merged.contains("command = [\"x\"]") && merged.contains("max_line = 4095"), "{merged}");
    assert!(read(&merged.replace("name = \"own\"", "")).is_ok(), "{merged}");
}

#[test]
fn line_mode_programs_take_one_short_line() {
    let repl = Profiles::builtin().get("repl").unwrap();
    let prompt = |text: &str| crate::input::Prompt::parse(text).unwrap();
    assert!(repl.accepts(&prompt("one line")).is_ok());
    assert!(repl.accepts(&prompt("two\nlines")).is_err());
    assert!(repl.accepts(&prompt(&"x".repeat(5000))).is_err());
}

#[test]
fn the_examples_of_the_documentation_are_right() {
    let documentation = include_str!("../../../../docs/profiles.md");
    let blocks = documentation.split("```toml").skip(1).filter_map(|rest| rest.split("```").next());
    // What is written behind the language is for the tests of the documents.
    let blocks: Vec<_> = blocks.filter_map(|block| block.split_once('\n').map(|(_, text)| text)).collect();
    assert!(blocks.len() >= 3, "{blocks:?}");
    for block in blocks {
        let extends = if block.contains("extends") { "" } else { "extends = 'claude'\n" };
        read(&format!("{extends}{block}")).unwrap_or_else(|error| panic!("{error}\n{block}"));
    }
}

/// The keys that a table of the profile may have, as the refusal of an unknown one lists them.
fn keys_of(table: &str) -> Vec<String> {
    let message =
        toml::from_str::<raw::Profile>(&format!("{table}no_such_key = 1")).err().map(|e| e.to_string());
    let message = message.unwrap_or_default();
    let listed = message.split_once("unknown field `no_such_key`, expected").map_or("", |(_, listed)| listed);
    listed.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_documentation_has_a_row_for_each_key() {
    let documentation = include_str!("../../../../docs/profiles.md");
    let section =
        |heading: &str| documentation.split("\n### ").find(|part| part.starts_with(heading)).unwrap_or("");
    let mut missing = Vec::new();
    let mut check = |heading: &str, keys: &[String]| {
        let rows = section(heading);
        let lacks = |key: &&String| !rows.contains(&format!("\n| `{key}` |"));
        missing.extend(keys.iter().filter(lacks).map(|key| format!("### {heading}: {key}")));
    };
    let top = keys_of("");
    assert!(top.contains(&"rule".to_owned()), "{top:?}");
    check("The profile\n", &top);
    check("The profile\n", &["extends".to_owned(), "remove".to_owned()]);
    let tables = top.iter().flat_map(|key| [(key, format!("[{key}]\n")), (key, format!("[[{key}]]\n"))]);
    let tables: Vec<_> =
        tables.map(|(key, table)| (key, keys_of(&table))).filter(|(_, keys)| !keys.is_empty()).collect();
    assert!(tables.len() >= 5, "{tables:?}");
    for (key, keys) in tables {
        check(&format!("{key}\n"), &keys);
    }
    assert!(missing.is_empty(), "docs/profiles.md lacks {missing:#?}");
}
