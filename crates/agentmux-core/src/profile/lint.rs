//! Patterns that nothing can match, and rules that can never decide.

use toml::{Table, Value};

use super::ProfileError;
use super::document::Document;
use super::fault::Fault;
use super::hopeless::{Text, matches_all, matches_nothing};

/// Keys of a rule that are no conditions.
const NO_CONDITION: [&str; 4] = ["name", "state", "region", "rows"];

/// Where patterns are, and what they are held against.
const PATTERNS: [(&str, &[&str]); 8] = [
    ("", &["prompt", "selected", "context"]),
    ("box", &["between", "above", "text", "not", "below"]),
    ("rule", &["from", "match", "not"]),
    ("dialog", &["match", "option"]),
    ("ending", &["match", "then", "resumes"]),
    ("reply", &["echo", "marker"]),
    ("submit", &["pasted", "interrupt_again"]),
    ("attachments", &["word"]),
];

/// Refuses what could never have an effect. The profile's types and patterns are right.
pub(super) fn check(document: &Document<'_>) -> Result<(), ProfileError> {
    let whole = document.plain()?;
    let fault = patterns(&whole).and_then(|()| titles(&whole)).and_then(|()| contradictions(&whole));
    let fault = fault.and_then(|()| hidden(document, rules(&whole)));
    fault.map_err(|fault| document.refuse(&fault))
}

fn patterns(whole: &Table) -> Result<(), Fault> {
    for (key, patterns) in PATTERNS {
        match whole.get(key) {
            None if key.is_empty() => can_match(whole, patterns, Text::Row)?,
            Some(Value::Table(table)) => {
                can_match(table, patterns, Text::Row).map_err(|fault| fault.within(key))?;
            }
            Some(Value::Array(items)) => {
                for (at, item) in items.iter().filter_map(Value::as_table).enumerate() {
                    can_match(item, patterns, Text::Row).map_err(|fault| fault.in_item(key, at))?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn titles(whole: &Table) -> Result<(), Fault> {
    let check = |(at, rule): (usize, &Table)| {
        can_match(rule, &["title"], Text::Title).map_err(|fault| fault.in_item("rule", at))
    };
    rules(whole).into_iter().enumerate().try_for_each(check)
}

fn can_match(table: &Table, keys: &[&str], text: Text) -> Result<(), Fault> {
    for key in keys {
        if table.get(*key).is_some_and(|value| is_hopeless(value, text)) {
            let why = "can never match: a row is one line without control characters, and ends with no blank";
            return Err(Fault::at(key, why));
        }
    }
    Ok(())
}

fn is_hopeless(value: &Value, text: Text) -> bool {
    match value {
        Value::String(pattern) => matches_nothing(pattern, text),
        Value::Array(patterns) => patterns.iter().any(|pattern| is_hopeless(pattern, text)),
        _ => false,
    }
}

fn rules(whole: &Table) -> Vec<&Table> {
    let rules = whole.get("rule").and_then(Value::as_array);
    rules.into_iter().flatten().filter_map(Value::as_table).collect()
}

/// Refuses a rule whose `not` forbids each row, or the one that `match` asks for.
fn contradictions(whole: &Table) -> Result<(), Fault> {
    for (at, rule) in rules(whole).into_iter().enumerate() {
        let why = match (rule.get("match"), rule.get("not").and_then(Value::as_str)) {
            (_, Some(not)) if matches_all(not) => "matches every row: the rule could never hold",
            (Some(wanted), Some(not)) if wanted.as_str() == Some(not) => {
                "is what match asks for: the rule could never hold"
            }
            _ => continue,
        };
        return Err(Fault::at("not", why).in_item("rule", at));
    }
    Ok(())
}

/// Refuses a rule before which another one holds wherever it would.
fn hidden(document: &Document<'_>, rules: Vec<&Table>) -> Result<(), Fault> {
    for (at, later) in rules.iter().enumerate() {
        let Some(earlier) = rules[..at].iter().position(|earlier| is_implied(earlier, later)) else {
            continue;
        };
        let name = |rule: &Table| rule.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let (above, below) = (name(rules[earlier]), name(later));
        // Whoever wrote the one that hides can mend that, even where the hidden one is inherited.
        if document.is_own_item("rule", earlier) && !document.is_own_item("rule", at) {
            let why = format!(
                "holds wherever the inherited rule '{below}' would, which could never decide: \
                 give it more conditions, or say [remove] rule = [\"{below}\"]"
            );
            return Err(Fault::new(why).in_item("rule", earlier));
        }
        let why = format!("can never decide: rule '{above}' above it holds wherever it would");
        return Err(Fault::new(why).in_item("rule", at));
    }
    Ok(())
}

/// True where all that the earlier rule asks for is given wherever the later one holds.
fn is_implied(earlier: &Table, later: &Table) -> bool {
    let needs_box = matches!(region(earlier), "above_box" | "below_box");
    let conditions = earlier.iter().filter(|(key, _)| !NO_CONDITION.contains(&key.as_str()));
    (!needs_box || has_box(later))
        && conditions.into_iter().all(|(key, value)| implies(later, key, value, earlier))
}

/// Whether a rule that holds means that this condition of the earlier one does.
fn implies(later: &Table, key: &str, value: &Value, earlier: &Table) -> bool {
    let is_same = later.get(key) == Some(value);
    match (key, value) {
        ("match", Value::String(wanted)) => {
            let wants_a_row = later.contains_key("match") && matches_all(wanted);
            (is_same || wants_a_row) && is_within(later, earlier)
        }
        ("from", _) => is_same && ["region", "rows"].iter().all(|key| later.get(*key) == earlier.get(*key)),
        ("not", _) => is_same && is_within(earlier, later),
        ("box", Value::String(wanted)) => is_same || (wanted == "present" && has_box(later)),
        ("cursor", Value::Array(wanted)) => {
            let given = later.get(key).and_then(Value::as_array);
            given.is_some_and(|given| wanted.iter().all(|wanted| given.contains(wanted)))
        }
        _ => is_same,
    }
}

/// Whether the rule holds only where there is a box.
fn has_box(rule: &Table) -> bool {
    let wanted = rule.get("box").and_then(Value::as_str);
    wanted.is_some_and(|wanted| wanted != "absent") || matches!(region(rule), "above_box" | "below_box")
}

fn region(rule: &Table) -> &str {
    rule.get("region").and_then(Value::as_str).unwrap_or("screen")
}

/// Whether all rows that one rule looks at are among the other's.
fn is_within(inner: &Table, outer: &Table) -> bool {
    let rows = |rule: &Table, all: i64| rule.get("rows").and_then(Value::as_integer).unwrap_or(all);
    let is_same = |key: &&str| inner.get(*key) == outer.get(*key);
    if ["region", "rows", "from", "joined"].iter().all(is_same) {
        return true;
    }
    // What is joined is one text, in which a part is something else; what begins somewhere is a part.
    if ["from", "joined"].iter().any(|key| outer.contains_key(*key)) || inner.contains_key("joined") {
        return false;
    }
    match (region(inner), region(outer)) {
        ("last", "last") => rows(inner, 1) <= rows(outer, 1),
        ("above_box", "above_box") => rows(inner, i64::MAX) <= rows(outer, i64::MAX),
        // Rows beside a box may be cut at its width: those are not the screen's.
        ("above_box" | "below_box", "screen") => false,
        (inner, outer) => inner == outer || outer == "screen",
    }
}
