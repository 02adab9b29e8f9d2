//! All panes of a server, from the rows of `list-panes -a`: a pane has one for each session that shows it.

use agentmux_core::terminal::{Label, Pane, PaneId};

use crate::label;
use crate::target::Target;

/// Names of hidden sessions begin so; those of agents begin with a letter or digit.
pub(crate) const HIDDEN: &str = "_agentmux";

/// A pane, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) pane: PaneId,
    /// The id of the session that it is in, apart from hidden ones; `None` where only those are left.
    pub(crate) session: Option<String>,
    /// Its address in that session.
    pub(crate) readable: String,
    /// Its label, where that is this owner's.
    pub(crate) label: Option<Label>,
    /// Its program has ended.
    pub(crate) dead: bool,
    /// It is in the hidden session of this name, in which its output is pushed to us.
    pub(crate) linked: bool,
}

/// Reads rows of [`PANE_ROW`](crate::parse::PANE_ROW): each pane once.
pub(crate) fn places(stdout: &str, owner: &str, hidden: &str) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for (address, dead, label) in stdout.lines().filter_map(row) {
        let at = places.iter().position(|place| place.pane == address.pane);
        let at = at.unwrap_or_else(|| {
            let label = label::decode(label, owner);
            places.push(Place { pane: address.pane.clone(), label, dead, ..Place::default() });
            places.len() - 1
        });
        let place = &mut places[at];
        let session = address.readable.rsplit_once(':').map_or("", |(session, _)| session);
        if is_hidden(session) {
            place.linked |= session == hidden;
        } else if place.session.is_none() {
            (place.session, place.readable) = (Some(address.session), address.readable);
        }
    }
    places
}

/// The panes that the users of a server can see.
pub(crate) fn panes(places: Vec<Place>) -> Vec<Pane> {
    let visible = places.into_iter().filter(|place| place.session.is_some());
    visible.map(|place| Pane { id: place.pane, target: place.readable, label: place.label }).collect()
}

fn is_hidden(session: &str) -> bool {
    session.strip_prefix(HIDDEN).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn row(row: &str) -> Option<(crate::parse::Address, bool, &str)> {
    let mut fields = row.splitn(5, '\t');
    let pane = PaneId::new(fields.next()?);
    Target::parse(&pane)?;
    let (session, readable) = (fields.next()?.to_owned(), fields.next()?.to_owned());
    let (dead, label) = (fields.next()? == "1", fields.next()?);
    Some((crate::parse::Address { pane, session, readable }, dead, label))
}

impl Default for Place {
    fn default() -> Self {
        Self {
            pane: PaneId::new(""),
            session: None,
            readable: String::new(),
            label: None,
            dead: false,
            linked: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(rows: &[&str]) -> Vec<Place> {
        places(&rows.join("\n"), "me", "_agentmux")
    }

    #[test]
    fn a_linked_pane_is_listed_once_with_the_address_of_its_own_session() {
        let rows = [
            "%1\t$0\t_agentmux:3.0\t0\t",
            "%1\t$1\ta:0.0\t0\t",
            "%2\t$2\tmy: session:0.0\t1\tnot ours",
            "%1\t$2\tlinked:3.0\t0\t",
            "nonsense",
        ];
        let places = listed(&rows);
        let seen: Vec<_> = places.iter().map(|p| (p.readable.as_str(), p.linked, p.dead)).collect();
        assert_eq!(seen, [("a:0.0", true, false), ("my: session:0.0", false, true)]);
        assert_eq!(places[0].session.as_deref(), Some("$1"));
    }

    #[test]
    fn panes_that_only_hidden_sessions_have_are_not_shown() {
        let rows =
            ["%0\t$0\t_agentmux:0.0\t0\t", "%1\t$9\t_agentmux-1f:1.0\t0\t", "%2\t$1\t_agentmuxer:0.0\t0\t"];
        let places = listed(&rows);
        assert_eq!(places.iter().map(|p| p.linked).collect::<Vec<_>>(), [true, false, false]);
        let shown: Vec<_> = panes(places).into_iter().map(|pane| pane.target).collect();
        assert_eq!(shown, ["_agentmuxer:0.0"]);
    }
}
