//! How a turn has ended: the one place where that is decided, from what we did, what the agent says, and what it shows.

use super::delivery::Stop;
use crate::notice::Notice;
use crate::profile::Means;

/// How a turn has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Conclusion {
    /// The agent has finished.
    Done,
    /// Somebody stopped it.
    Interrupted,
    /// Its time was up.
    Late,
    /// It failed: a stable word, and what the agent says.
    Failed(&'static str, String),
    /// A usage limit: the prompt was not answered.
    Bounced(Notice),
}

/// Concludes from why we stopped the agent, where we did; what it shows of its turn's end; why it could not finish, where it
/// told that; and whether the prompt is back in its box without an answer.
pub(super) fn conclude(
    stop: Option<Stop>,
    notice: Option<Notice>,
    failure: Option<String>,
    returned: bool,
) -> Conclusion {
    match (stop, notice) {
        (Some(Stop::Late), _) => Conclusion::Late,
        (Some(Stop::Asked), _) => Conclusion::Interrupted,
        (None, Some(notice)) => match notice.means {
            Means::Limit => Conclusion::Bounced(notice),
            Means::Interrupted => Conclusion::Interrupted,
            Means::Error => Conclusion::Failed("agent_error", notice.message),
            Means::Login => Conclusion::Failed("login", notice.message),
        },
        (None, None) if failure.is_some() => Conclusion::Failed("agent_error", failure.unwrap_or_default()),
        // Some agents give the prompt back when they are stopped before their first word.
        (None, None) if returned => Conclusion::Interrupted,
        (None, None) => Conclusion::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_did_goes_before_what_the_agent_says_and_that_before_what_it_shows() {
        let says =
            |means| Notice { name: "x".into(), means, message: "m".into(), reset: None, resumes: false };
        let failed = |code| Conclusion::Failed(code, "m".into());
        let told = conclude(None, None, Some("m".into()), true);
        assert_eq!(told, failed("agent_error"));
        for (stop, means, returned, expected) in [
            (None, None, false, Conclusion::Done),
            (None, None, true, Conclusion::Interrupted),
            (None, Some(Means::Interrupted), false, Conclusion::Interrupted),
            (None, Some(Means::Error), true, failed("agent_error")),
            (None, Some(Means::Login), false, failed("login")),
            (None, Some(Means::Limit), false, Conclusion::Bounced(says(Means::Limit))),
            (Some(Stop::Asked), Some(Means::Error), false, Conclusion::Interrupted),
            (Some(Stop::Asked), Some(Means::Limit), false, Conclusion::Interrupted),
            (Some(Stop::Late), Some(Means::Interrupted), true, Conclusion::Late),
        ] {
            assert_eq!(
                conclude(stop, means.map(says), None, returned),
                expected,
                "{stop:?} {means:?} {returned}"
            );
        }
    }
}
