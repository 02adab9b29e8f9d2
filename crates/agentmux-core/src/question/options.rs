//! Finds the options of a question among the rows of a screen.

use regex::{Captures, Regex};

use super::Choice;
use crate::profile::{Further, Layout, QuestionForm};
use crate::screen::Row;

/// So many other rows may stand between two options that have numbers: descriptions, rules.
const BETWEEN: usize = 8;

/// The options, and the rows of the first and the last.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) options: Vec<Choice>,
    pub(super) first: Option<usize>,
    pub(super) last: Option<usize>,
}

/// A row that is an option.
struct Found {
    row: usize,
    /// Where its label begins, in characters.
    column: usize,
    /// Where its further rows may begin.
    margin: usize,
    choice: Choice,
    numbered: bool,
}

/// Finds the options. `lines` are the rows without their frame.
pub(super) fn list(form: &QuestionForm, rows: &[Row], lines: &[String]) -> Listed {
    let Some(option) = &form.option else { return Listed::default() };
    match form.layout {
        Layout::Down | Layout::Blocks => down(form, option, rows, lines),
        Layout::Across => across(option, rows),
        Layout::Typed => typed(option, lines),
    }
}

fn down(form: &QuestionForm, option: &Regex, rows: &[Row], lines: &[String]) -> Listed {
    let is_option = |at: usize| found(option, &lines[at], at);
    let Some(last) = (0..lines.len()).rev().find_map(is_option) else { return Listed::default() };
    let mut all = if last.numbered {
        numbered(form, option, lines, last)
    } else {
        let selected = (0..lines.len()).rev().filter_map(is_option).find(|found| found.choice.selected);
        selected.map(|selected| beside(form.layout, option, lines, &selected)).unwrap_or_default()
    };
    if all.iter().all(|found| !found.choice.selected) {
        mark_highlighted(&mut all, rows, lines);
    }
    let ends: Vec<_> = all.iter().skip(1).map(|found| found.row).chain([lines.len()]).collect();
    for (found, end) in all.iter_mut().zip(ends) {
        further(form, found, &lines[found.row + 1..end]);
    }
    let (first, last) = (all.first().map(|found| found.row), all.last().map(|found| found.row));
    let mut options: Vec<_> = all.into_iter().map(|found| found.choice).collect();
    // Where there is no number, the place counts.
    let has_numbers = options.iter().any(|option| option.number > 0);
    for (place, option) in (1..).zip(&mut options).filter(|_| !has_numbers) {
        option.number = place;
    }
    Listed { options, first, last }
}

/// The options from the last one up to number 1; what stands between them is theirs.
fn numbered(form: &QuestionForm, option: &Regex, lines: &[String], last: Found) -> Vec<Found> {
    let (mut wanted, mut since) = (last.choice.number, last.row);
    let mut all = vec![last];
    for at in (0..since).rev() {
        wanted =
            all.iter().map(|found| found.choice.number).filter(|number| *number > 0).min().unwrap_or(wanted);
        if wanted == 1 || since - at > BETWEEN {
            break;
        }
        if let Some(found) = found(option, &lines[at], at)
            && found.choice.number == wanted - 1
        {
            since = at;
            all.push(found);
        } else if let Some(button) = form.button.as_ref().and_then(|button| found(button, &lines[at], at)) {
            since = at;
            all.push(button);
        }
    }
    all.reverse();
    all
}

/// The rows beside the selected one whose label begins where its does. In blocks, only the first row of each is one.
fn beside(layout: Layout, option: &Regex, lines: &[String], selected: &Found) -> Vec<Found> {
    let blocks = layout == Layout::Blocks;
    let is_blank = |at: usize| lines[at].trim().is_empty();
    let alike = |at: &usize| {
        let here = found(option, &lines[*at], *at);
        here.is_some_and(|here| here.column == selected.column) || (blocks && is_blank(*at))
    };
    let first = (0..=selected.row).rev().take_while(alike).last().unwrap_or(selected.row);
    let rows = (first..lines.len()).take_while(alike);
    let heads = rows.filter(|at| !blocks || *at == selected.row || *at == 0 || is_blank(at - 1));
    heads
        .filter_map(|at| found(option, &lines[at], at))
        .filter(|found| !found.choice.label.is_empty())
        .collect()
}

/// Adds what an option's further rows say: indented as it is at least, up to a blank row.
fn further(form: &QuestionForm, found: &mut Found, lines: &[String]) {
    for line in lines {
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        let text = line.trim();
        let skip = form.skip.as_ref().is_some_and(|skip| skip.is_match(line));
        if text.is_empty() || indent < found.margin || skip {
            return;
        }
        let choice = &mut found.choice;
        match &mut choice.description {
            Some(description) => *description = format!("{description} {text}"),
            None if form.further == Further::Description => choice.description = Some(text.to_owned()),
            None => choice.label = format!("{} {text}", choice.label),
        }
    }
}

/// Agents that paint no mark give the selected option a background.
fn mark_highlighted(all: &mut [Found], rows: &[Row], lines: &[String]) {
    for found in all {
        // The frame is cut off at both ends: the line is a part of the row.
        let Some(start) = rows[found.row].text().find(lines[found.row].trim()) else { continue };
        found.choice.selected = rows[found.row].is_highlighted(start);
    }
}

/// The options on one row: the last row that has any.
fn across(option: &Regex, rows: &[Row]) -> Listed {
    let Some(at) = rows.iter().rposition(|row| option.is_match(row.text())) else { return Listed::default() };
    let choice = |(place, captures): (u32, Captures<'_>)| {
        let label = captures.name("label").map_or(0..0, |label| label.range());
        Choice { number: place, selected: rows[at].is_highlighted(label.start), ..choice(&captures) }
    };
    let options = (1..).zip(option.captures_iter(rows[at].text())).map(choice).collect();
    Listed { options, first: Some(at), last: Some(at) }
}

/// The options in the sentence at the end of the screen, which may be wrapped.
fn typed(option: &Regex, lines: &[String]) -> Listed {
    let Some(last) = lines.iter().rposition(|line| !line.trim().is_empty()) else { return Listed::default() };
    let first = (0..=last).rev().take_while(|at| !lines[*at].trim().is_empty()).last().unwrap_or(last);
    let sentence = lines[first..=last].concat();
    let options = (1..).zip(option.captures_iter(&sentence));
    let options = options.map(|(place, captures)| Choice { number: place, ..choice(&captures) }).collect();
    // The whole sentence is the question.
    Listed { options, first: None, last: None }
}

/// The option on a line.
fn found(option: &Regex, line: &str, row: usize) -> Option<Found> {
    let captures = option.captures(line)?;
    let start = captures.name("label")?.start();
    let column = |start: usize| line[..start].chars().count();
    // On narrow windows long labels go on below their number.
    let margin = column(captures.name("number").map_or(start, |number| number.start()));
    let numbered = captures.name("number").is_some();
    Some(Found { row, column: column(start), margin, numbered, choice: choice(&captures) })
}

fn choice(captures: &Captures<'_>) -> Choice {
    let group = |name: &str| captures.name(name).map(|group| group.as_str().trim());
    let key = group("key").and_then(|key| key.chars().next());
    // The letter is a part of the word: (Y)es.
    let label = group("label").unwrap_or_default();
    Choice {
        number: group("number").and_then(|number| number.parse().ok()).unwrap_or(0),
        label: format!("{}{label}", key.map(String::from).unwrap_or_default()),
        description: group("description").filter(|text| !text.is_empty()).map(str::to_owned),
        selected: captures.name("selected").is_some(),
        ticked: group("ticked").map(|mark| !mark.is_empty()),
        key: key.map(|key| key.to_ascii_lowercase()),
    }
}
