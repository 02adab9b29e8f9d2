//! The rules of a profile, as serde reads them: what holds of a screen in some state.

use serde::Deserialize;

use super::fault::Fault;
use super::raw::optional;
use super::{BoxState, CursorIs, Region, Rule};
use crate::state::State;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleTable {
    name: String,
    state: State,
    title: Option<String>,
    #[serde(rename = "box")]
    input: Option<BoxState>,
    #[serde(default)]
    cursor: Vec<CursorIs>,
    alternate: Option<bool>,
    region: Option<String>,
    rows: Option<usize>,
    from: Option<String>,
    #[serde(default)]
    joined: bool,
    #[serde(rename = "match")]
    matches: Option<String>,
    not: Option<String>,
}

impl RuleTable {
    pub(super) fn check(self, has_box: bool) -> Result<Rule, Fault> {
        if self.state == State::Exited {
            return Err(Fault::at("state", "'exited' is told by the pane, not by a screen"));
        }
        self.check_conditions()?;
        let region = region(self.region.as_deref(), self.rows)?;
        self.check_box(region, has_box)?;
        Ok(Rule {
            state: self.state,
            title: optional("title", self.title.as_deref())?,
            input: self.input,
            alternate: self.alternate,
            region,
            from: optional("from", self.from.as_deref())?,
            joined: self.joined,
            matches: optional("match", self.matches.as_deref())?,
            not: optional("not", self.not.as_deref())?,
            cursor: self.cursor,
            name: self.name,
        })
    }

    /// Something must decide, and what looks at rows must say at which.
    fn check_conditions(&self) -> Result<(), Fault> {
        let has_pattern = self.matches.is_some() || self.not.is_some();
        let looks = has_pattern || self.from.is_some();
        let of_the_rest = self.title.is_some() || self.input.is_some() || self.alternate.is_some();
        if !looks && !of_the_rest && self.cursor.is_empty() {
            return Err("has no condition: give title, box, cursor, alternate, from, match or not".into());
        }
        if looks && self.region.is_none() {
            return Err(
                "has match or not without a region: say where they look, such as region = 'screen'".into()
            );
        }
        if self.joined && !has_pattern {
            return Err(Fault::at("joined", "goes with match or not"));
        }
        if self.cursor.contains(&CursorIs::Visible) && self.cursor.contains(&CursorIs::Hidden) {
            return Err(Fault::at("cursor", "is not both visible and hidden: the rule could never hold"));
        }
        Ok(())
    }

    /// What is asked of a box, or beside it, can be only where there is one.
    fn check_box(&self, region: Region, has_box: bool) -> Result<(), Fault> {
        let beside = matches!(region, Region::AboveBox(_) | Region::BelowBox);
        let within = self.cursor.contains(&CursorIs::InBox);
        let wanted = self.input.is_some_and(|wanted| wanted != BoxState::Absent);
        for (asks, key) in [(wanted, "box"), (beside, "region"), (within, "cursor")] {
            if asks && !has_box {
                return Err(Fault::at(key, "the profile has no box: the rule could never hold"));
            }
            if asks && self.input == Some(BoxState::Absent) {
                let why = "is beside a box that must be absent: the rule could never hold";
                return Err(Fault::at(key, why));
            }
        }
        Ok(())
    }
}

fn region(name: Option<&str>, rows: Option<usize>) -> Result<Region, Fault> {
    match (name.unwrap_or("screen"), rows) {
        ("last" | "above_box", Some(0)) => Err(Fault::at("rows", "must be at least 1")),
        ("screen", None) => Ok(Region::Screen),
        ("last", rows) => Ok(Region::Last(rows.unwrap_or(1))),
        ("above_box", rows) => Ok(Region::AboveBox(rows.unwrap_or(usize::MAX))),
        ("below_box", None) => Ok(Region::BelowBox),
        ("cursor", None) => Ok(Region::Cursor),
        ("screen" | "below_box" | "cursor", Some(_)) => {
            Err(Fault::at("rows", "goes with region last or above_box only"))
        }
        (other, _) => {
            let why = format!("'{other}' is unknown; use screen, last, above_box, below_box or cursor");
            Err(Fault::at("region", why))
        }
    }
}
