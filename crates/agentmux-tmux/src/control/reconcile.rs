//! What follows from a complete listing of the panes: the safety net under what tmux pushes.

use std::collections::{HashMap, HashSet};

use agentmux_core::terminal::PaneId;

use crate::listing::Place;

/// What is known of a pane that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// Its program runs.
    Alive,
    /// Its program has ended.
    Dead,
    /// It is not there.
    Gone,
}

/// What to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps {
    /// Watched, but not linked into the hidden session.
    pub(crate) link: Vec<PaneId>,
    /// Linked, but not watched any more.
    pub(crate) unlink: Vec<PaneId>,
    /// Ours, and left in the hidden session alone: a person killed its session, which a linked window (and
    /// the agent in it) survives.
    pub(crate) end: Vec<PaneId>,
    /// Watched, and another than it was.
    pub(crate) pulse: Vec<PaneId>,
}

/// Compares the listing with what is watched and was known; `known` is brought up to date.
pub(crate) fn steps(places: &[Place], watched: &[PaneId], known: &mut HashMap<PaneId, Known>) -> Steps {
    let watched: HashSet<&PaneId> = watched.iter().collect();
    let mut steps = Steps::default();
    let mut now: HashMap<PaneId, Known> = watched.iter().map(|&pane| (pane.clone(), Known::Gone)).collect();
    for place in places {
        let pane = || place.pane.clone();
        let is_watched = watched.contains(&place.pane);
        match (&place.session, place.linked) {
            (None, true) if place.label.is_some() => steps.end.push(pane()),
            (Some(_), false) if is_watched => steps.link.push(pane()),
            // A person's pane in the same window has no label: the window stays linked for ours.
            (Some(_), true) if !is_watched && place.label.is_some() => steps.unlink.push(pane()),
            _ => {}
        }
        if is_watched && place.session.is_some() {
            now.insert(pane(), if place.dead { Known::Dead } else { Known::Alive });
        }
    }
    let differs = |(pane, state): &(&PaneId, &Known)| known.get(pane) != Some(state);
    steps.pulse = now.iter().filter(differs).map(|(pane, _)| pane.clone()).collect();
    steps.pulse.sort();
    *known = now;
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(pane: &str, session: Option<&str>, linked: bool, dead: bool) -> Place {
        let label = Some(crate::label::tests::launch().label);
        Place {
            pane: PaneId::new(pane),
            session: session.map(String::from),
            linked,
            dead,
            label,
            ..Place::default()
        }
    }

    fn ids(ids: &[&str]) -> Vec<PaneId> {
        ids.iter().copied().map(PaneId::new).collect()
    }

    #[test]
    fn a_listing_says_what_to_do() {
        let cat = Place { label: None, ..place("%0", None, true, false) };
        let persons = Place { label: None, ..place("%6", Some("$1"), true, false) };
        let places = [
            cat,
            place("%1", Some("$1"), true, false),
            place("%2", Some("$2"), false, true),
            place("%3", None, true, false),
            place("%4", Some("$4"), true, false),
            place("%5", Some("$5"), false, false),
            persons,
        ];
        let mut known = HashMap::new();
        let watched = ids(&["%1", "%2", "%3", "%9"]);
        let expected = Steps {
            link: ids(&["%2"]),
            unlink: ids(&["%4"]),
            end: ids(&["%3"]),
            pulse: ids(&["%1", "%2", "%3", "%9"]),
        };
        assert_eq!(steps(&places, &watched, &mut known), expected);
    }

    #[test]
    fn only_a_change_is_told_and_only_once() {
        let mut known = HashMap::new();
        let mut pulse = |places: &[Place]| steps(places, &ids(&["%1"]), &mut known).pulse.len();
        let (alive, dead) = (place("%1", Some("$1"), true, false), place("%1", Some("$1"), true, true));
        let table =
            [(Some(&alive), 1), (Some(&alive), 0), (Some(&dead), 1), (Some(&dead), 0), (None, 1), (None, 0)];
        for (listed, expected) in table {
            let places: Vec<_> = listed.into_iter().cloned().collect();
            assert_eq!(pulse(&places), expected, "{listed:?}");
        }
    }
}
