//! What the agent tells of itself by hooks, and what follows from that for the session and its turn.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Session;
use crate::fusion::Word;
use crate::profile::signals::Meaning;
use crate::signals::receipt::{Receipt, compare};
use crate::signals::transcript::{self, Told};
use crate::signals::{Signal, Usage};
use crate::state::Source;
use crate::turn::Reply;

/// How long the agent's word on the end of a turn is waited for once its screen shows the end.
const AWAITED: Duration = Duration::from_millis(1500);

/// What was heard of the agent.
#[derive(Debug, Default)]
pub(super) struct Ears {
    /// Its last word by a hook.
    pub(super) word: Option<Word>,
    /// Its own id of the turn that it took last.
    turn: Option<String>,
    /// Its record of the conversation.
    transcript: Option<PathBuf>,
    pub(super) context: Option<u8>,
    /// How often it asked something.
    pub(super) asks: u64,
    /// Its word was waited for in vain, and it has told nothing since.
    missed: bool,
}

/// What was heard of a turn.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// The agent said that it took the prompt: then it will also say that it has finished, unless it is interrupted.
    taken: bool,
    /// It said that it has finished.
    pub(super) ended: bool,
    reply: Option<String>,
    /// Why it could not finish.
    failure: Option<String>,
    usage: Usage,
    /// Since when the screen shows the end, and the agent's word on that is waited for.
    awaited: Option<Instant>,
}

/// The agent's answer to a prompt, and where that was found.
pub(super) struct Said {
    /// `None` where nobody knows what it said.
    pub(super) reply: Option<Reply>,
    pub(super) usage: Usage,
    /// Why the agent could not finish.
    pub(super) failure: Option<String>,
}

impl Session {
    /// Takes what the agent told.
    pub(super) fn hear(&mut self, signal: Signal, answer: Option<oneshot::Sender<Value>>) {
        log::debug!("session {}: hook {} ({})", self.parts.name, signal.event, signal.means.word());
        self.ears.missed = false;
        if signal.means == Meaning::Submitted {
            self.ears.turn.clone_from(&signal.turn);
            self.note_receipt(&signal);
        }
        // A hook is a process of its own, and may come late: after the next prompt.
        let is_old = signal.turn.is_some() && self.ears.turn.is_some() && signal.turn != self.ears.turn;
        if is_old {
            return;
        }
        self.ears.transcript = signal.transcript.clone().or(self.ears.transcript.take());
        self.ears.context = signal.usage.context.or(self.ears.context);
        self.ears.asks += u64::from(signal.means == Meaning::Asks);
        let decided = self.take_hook(&signal, answer);
        if let Some(word) = Word::of(&signal).filter(|_| !decided) {
            self.ears.word = Some(word);
        }
        self.note_report(signal);
        self.look_again(Instant::now());
    }

    /// The agent took a prompt: ours, if it is the same text.
    fn note_receipt(&mut self, signal: &Signal) {
        let (Some(received), Some(current)) = (&signal.prompt, &mut self.current) else { return };
        let wrapping = self.parts.profile.signals.as_ref().map_or(&[][..], |signals| &signals.wrapping);
        match compare(current.prompt.as_str(), received, wrapping) {
            Receipt::Other => return,
            Receipt::Exact => {}
            Receipt::Transformed => current.pen.transformed(),
        }
        current.report.taken = true;
        current.taken();
        current.pen.confirmed(Source::Hook);
    }

    fn note_report(&mut self, signal: Signal) {
        let Some(current) = &mut self.current else { return };
        let wrapping = self.parts.profile.signals.as_ref().map_or(&[][..], |signals| &signals.wrapping);
        let is_its = match &signal.prompt {
            Some(prompt) => compare(current.prompt.as_str(), prompt, wrapping) != Receipt::Other,
            None => current.report.taken,
        };
        if !is_its {
            return;
        }
        let report = &mut current.report;
        report.usage = signal.usage.or(report.usage);
        match signal.means {
            Meaning::Done | Meaning::Notes | Meaning::Interrupted => {
                report.ended = true;
                report.reply = signal.reply.or(report.reply.take());
            }
            Meaning::Failed => {
                report.ended = true;
                report.failure = signal.message.or_else(|| Some(String::new()));
            }
            Meaning::Submitted | Meaning::Working => (report.ended, report.failure) = (false, None),
            Meaning::Ready | Meaning::Asks | Meaning::Ended | Meaning::Ignored => {}
        }
    }

    /// The agent's last word on its state, by whichever way it came.
    pub(super) fn word(&self) -> Option<Word> {
        let announced = self.activity.announced().as_ref().and_then(Word::announced);
        [announced, self.ears.word.clone()].into_iter().flatten().max_by_key(|word| word.at)
    }

    /// True while the screen shows the end of the turn, and the agent, which told of its beginning, may still tell of
    /// its end. Some ends it never tells of, such as Escape.
    pub(super) fn awaits_word(&mut self) -> bool {
        let now = Instant::now();
        let announced = self.parts.notes && !self.ears.missed && self.announces_end();
        let Some(current) = &mut self.current else { return false };
        let expected = current.report.taken || announced;
        if !expected || current.report.ended || current.is_interrupted() {
            return false;
        }
        let until = *current.report.awaited.get_or_insert(now) + AWAITED;
        self.ears.missed = now >= until;
        if now < until {
            self.look_again(until);
        }
        now < until
    }

    /// True where the agent says in its output that it has come to a good end: then it will tell the rest.
    fn announces_end(&self) -> bool {
        self.activity.announced().is_some_and(|announced| announced.state == "done")
    }

    /// What the agent said in the current turn: by its own word, by its record, or as its screen shows it.
    pub(super) async fn said(&mut self, on_screen: Option<String>) -> Said {
        let told = self.told().await.unwrap_or_default();
        let report = self.current.as_mut().map(|current| &mut current.report);
        let (by_hook, usage, failure) = report.map_or_else(Default::default, |report| {
            (report.reply.take(), report.usage, report.failure.take())
        });
        let sources = [(by_hook, "hook"), (told.reply, "transcript"), (on_screen, "screen")];
        let reply = sources.into_iter().find_map(|(text, source)| Some(Reply { text: text?, source }));
        Said { reply, usage: usage.or(told.usage), failure }
    }

    /// What the agent's record has of the current turn.
    async fn told(&self) -> Option<Told> {
        let (file, prompt) = (self.ears.transcript.clone()?, self.current.as_ref()?.prompt.clone());
        self.parts.profile.signals.as_ref()?.transcript.as_ref()?;
        let (profile, name) = (self.parts.profile.clone(), self.parts.name.clone());
        let read = move || {
            let signals = profile.signals.as_ref()?;
            let rule = signals.transcript.as_ref()?;
            match transcript::read(rule, &file, prompt.as_str(), &signals.wrapping) {
                Ok(told) => told,
                Err(error) => {
                    log::warn!("session {name}: {} cannot be read: {error}", file.display());
                    None
                }
            }
        };
        tokio::task::spawn_blocking(read).await.ok().flatten()
    }
}

impl Report {
    /// The end was not the end.
    pub(super) fn goes_on(&mut self) {
        self.awaited = None;
    }
}
