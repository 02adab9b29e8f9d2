//! What goes on while somebody waits, in words: the daemon tells it by its events.

use std::collections::BTreeMap;
use std::convert::Infallible;

use agentmux_api::{Question, SessionDetail, SessionEvent, Turn, Turns};

use crate::client::{Client, escaped};
use crate::ending::Failed;
use crate::output::on_one_line;
use crate::progress::Progress;
use crate::sse::{Event, Stream};
use crate::times;
use crate::turns::is_going;

/// Says what the turn waits for, for as long as it is polled.
pub(crate) async fn turn(client: &Client, turn: &Turn, progress: &Progress) -> Infallible {
    let seen = Seen { turn: Some(turn.clone()), ..Seen::default() };
    seen.follow(client, &turn.session_id, progress).await
}

/// Says what the session does, for as long as it is polled.
pub(crate) async fn session(client: &Client, key: &str, progress: &Progress) -> Infallible {
    Seen::default().follow(client, key, progress).await
}

/// What is known so far.
#[derive(Debug, Default)]
struct Seen {
    /// The turn that is waited for, if it is one.
    turn: Option<Turn>,
    session: Option<Session>,
    /// The turns of the session by their ids, which sort by time, and whether each still waits or goes on.
    turns: BTreeMap<String, bool>,
}

#[derive(Debug)]
struct Session {
    name: String,
    state: String,
    question: Option<Question>,
    resets_at: Option<String>,
}

impl Seen {
    async fn follow(mut self, client: &Client, key: &str, progress: &Progress) -> Infallible {
        if progress.is_shown() {
            progress.say(self.words());
            // Where this fails the words stay as they are; what went wrong is told by the wait itself.
            let _ = Box::pin(self.listen(client, &escaped(key), progress)).await;
        }
        std::future::pending().await
    }

    async fn listen(
        &mut self,
        client: &Client,
        key: &str,
        progress: &Progress,
    ) -> Result<Infallible, Failed> {
        let mut stream = Stream::open(client, &format!("/events?session={key}")).await?;
        self.session = Some(client.get::<SessionDetail>(&format!("/sessions/{key}"), 0.0).await?.into());
        if self.turn.is_some() {
            let turns: Turns = client.get(&format!("/sessions/{key}/turns?limit=200"), 0.0).await?;
            turns.turns.into_iter().for_each(|turn| self.note(turn));
        }
        loop {
            progress.say(self.words());
            let event = stream.next().await?;
            self.hear(&event);
        }
    }

    fn hear(&mut self, event: &Event) {
        match event.name.as_str() {
            "session" => {
                self.session = event.read().map(|event: SessionEvent| event.into()).or(self.session.take())
            }
            "turn" => event.read().into_iter().for_each(|turn| self.note(turn)),
            _ => {}
        }
    }

    fn note(&mut self, turn: Turn) {
        self.turns.insert(turn.id.clone(), is_going(&turn) || turn.state == "needs_input");
        if self.turn.as_ref().is_some_and(|ours| ours.id == turn.id) {
            self.turn = Some(turn);
        }
    }

    fn words(&self) -> String {
        let session = self.session.as_ref();
        match &self.turn {
            Some(turn) => {
                let before = self.turns.range(..turn.id.clone()).filter(|(_, is_going)| **is_going).count();
                format!("{}: {}", turn.session, turn_words(turn, session, before))
            }
            None => session.map_or("waiting".to_owned(), |it| format!("{}: {}", it.name, session_words(it))),
        }
    }
}

fn turn_words(turn: &Turn, session: Option<&Session>, before: usize) -> String {
    let state = session.map_or("", |session| session.state.as_str());
    let hindrance =
        session.filter(|_| matches!(state, "needs_input" | "limited" | "draft")).map(session_words);
    match (turn.state.as_str(), &turn.held_until) {
        (_, Some(until)) => format!("usage limit, goes on at {}", times::near(until)),
        ("queued", None) => {
            let starting = (state == "starting").then(|| "the agent is starting".to_owned());
            let place = match before {
                0 => "queued".to_owned(),
                before => format!("queued, {before} before it"),
            };
            std::iter::once(place).chain(hindrance.or(starting)).collect::<Vec<_>>().join("; ")
        }
        ("delivering", None) => "typing the prompt".to_owned(),
        (state, None) => hindrance.unwrap_or_else(|| state.to_owned()),
    }
}

fn session_words(session: &Session) -> String {
    let question = session.question.as_ref().map(|asked| on_one_line(&asked.text));
    match (session.state.as_str(), question, &session.resets_at) {
        ("needs_input", Some(text), _) => format!("needs input: {text}"),
        ("needs_input", None, _) => "needs input".to_owned(),
        ("limited", _, Some(until)) => format!("usage limit until {}", times::near(until)),
        ("limited", _, None) => "usage limit".to_owned(),
        ("draft", _, _) => "somebody's text waits in its box".to_owned(),
        (state, _, _) => state.to_owned(),
    }
}

impl From<SessionDetail> for Session {
    fn from(SessionDetail { name, state, question, resets_at, .. }: SessionDetail) -> Self {
        Self { name, state, question, resets_at }
    }
}

impl From<SessionEvent> for Session {
    fn from(SessionEvent { name, state, question, resets_at, .. }: SessionEvent) -> Self {
        Self { name, state, question, resets_at }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn turn(id: &str, state: &str) -> Turn {
        serde_json::from_value(json!({
            "id": id, "session": "a", "session_id": "s-1", "state": state, "delivery": null, "reply": null,
            "reply_source": null, "accepted_at": "2026-11-24T09:00:00Z"
        }))
        .unwrap()
    }

    fn session(state: &str) -> Session {
        Session { name: "a".to_owned(), state: state.to_owned(), question: None, resets_at: None }
    }

    fn event(name: &str, data: &impl serde::Serialize) -> Event {
        Event { name: name.to_owned(), data: serde_json::to_string(data).unwrap(), id: Some(1) }
    }

    #[test]
    fn a_turn_is_told_with_what_hinders_it() {
        let asks = || {
            let question = Question { text: "Run\n  x?".to_owned(), ..Question::default() };
            Session { question: Some(question), ..session("needs_input") }
        };
        let held = Turn { held_until: Some("soon".to_owned()), ..turn("t-2", "queued") };
        let limited = Session { resets_at: Some("3pm".to_owned()), ..session("limited") };
        for (turn, session, before, wanted) in [
            (turn("t-2", "queued"), None, 0, "queued"),
            (turn("t-2", "queued"), Some(session("starting")), 0, "queued; the agent is starting"),
            (turn("t-2", "queued"), Some(session("busy")), 2, "queued, 2 before it"),
            (turn("t-2", "queued"), Some(asks()), 1, "queued, 1 before it; needs input: Run x?"),
            (turn("t-2", "queued"), Some(limited), 1, "queued, 1 before it; usage limit until 3pm"),
            (held, Some(session("limited")), 0, "usage limit, goes on at soon"),
            (turn("t-2", "delivering"), Some(session("idle")), 0, "typing the prompt"),
            (turn("t-2", "working"), Some(session("busy")), 0, "working"),
            (turn("t-2", "working"), Some(asks()), 0, "needs input: Run x?"),
        ] {
            assert_eq!(turn_words(&turn, session.as_ref(), before), wanted);
        }
    }

    #[test]
    fn events_change_what_is_told() {
        let mut seen = Seen { turn: Some(turn("t-2", "queued")), ..Seen::default() };
        assert_eq!(seen.words(), "a: queued");
        for (name, data, wanted) in [
            ("turn", turn("t-1", "working"), "a: queued, 1 before it"),
            ("turn", turn("t-3", "queued"), "a: queued, 1 before it"),
            ("turn", turn("t-1", "needs_input"), "a: queued, 1 before it"),
            ("turn", turn("t-1", "done"), "a: queued"),
            ("unknown", turn("t-0", "queued"), "a: queued"),
            ("turn", turn("t-2", "working"), "a: working"),
        ] {
            seen.hear(&event(name, &data));
            assert_eq!(seen.words(), wanted, "{data:?}");
        }
        seen.hear(&event("session", &json!({"name": "a"})));
        assert!(seen.session.is_none(), "what this client does not know changes nothing");
    }

    #[test]
    fn a_session_that_is_waited_for_is_told_by_its_state() {
        let mut seen = Seen::default();
        assert_eq!(seen.words(), "waiting");
        seen.session = Some(session("busy"));
        assert_eq!(seen.words(), "a: busy");
    }
}
