//! What the agent tells of itself by hooks, and what follows from that for the session and its turn.

use std::io::ErrorKind::NotFound;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Session;
use crate::fusion::Word;
use crate::profile::signals::{Meaning, Whereabouts};
use crate::signals::receipt::{Receipt, compare};
use crate::signals::transcript::{self, Sought, Told};
use crate::signals::{Link, Signal, Usage};
use crate::state::Source;
use crate::turn::Reply;

/// How long the agent's word on the end of a turn is waited for once its screen shows the end.
const AWAITED: Duration = Duration::from_millis(1500);

/// How long the turn's end is waited for in the agent's record once its screen shows it. Claude Code 2.1.330 writes it
/// 0.4 s late.
const WRITTEN: Duration = Duration::from_millis(1000);

/// After so many turns in a row that it did not write down, nothing is waited for: its user may have switched that off.
const UNWRITTEN: u8 = 3;

/// What was heard of the agent.
#[derive(Debug, Default)]
pub(super) struct Ears {
    /// Its last word by a hook.
    pub(super) word: Option<Word>,
    /// Its own id of the turn that it took last.
    turn: Option<String>,
    /// Its record of the conversation.
    transcript: Option<PathBuf>,
    /// Its own id of the conversation.
    conversation: Option<String>,
    pub(super) context: Option<u8>,
    /// How often it asked something.
    pub(super) asks: u64,
    /// How many turns in a row had no end in its record, though that was waited for.
    unwritten: u8,
    /// Its word was waited for in vain, and it has told nothing since.
    missed: bool,
}

/// What was heard of a turn.
#[derive(Debug)]
pub(super) struct Report {
    /// When its prompt began to be typed.
    since: Timestamp,
    /// The record that is of one turn alone has nothing of an older one.
    is_fresh: bool,
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
    /// Since when the end is known, but not in the agent's record.
    unwritten: Option<Instant>,
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
        let receipt = self.receipt(&signal);
        if signal.means == Meaning::Submitted {
            self.ears.turn.clone_from(&signal.turn);
            self.note_receipt(receipt);
        }
        // A hook is a process of its own, and may come late: after the next prompt.
        let is_old = signal.turn.is_some() && self.ears.turn.is_some() && signal.turn != self.ears.turn;
        if is_old {
            return;
        }
        self.note_record(&signal, receipt);
        self.ears.context = signal.usage.context.or(self.ears.context);
        self.ears.asks += u64::from(signal.means == Meaning::Asks);
        let decided = self.take_hook(&signal, answer);
        if let Some(word) = Word::of(&signal).filter(|_| !decided) {
            self.ears.word = Some(word);
        }
        self.note_report(signal, receipt);
        self.look_again(Instant::now());
    }

    /// How the prompt of which the agent tells compares with ours; `None` where it names none.
    fn receipt(&self, signal: &Signal) -> Option<Receipt> {
        let received = signal.prompt.as_ref()?;
        let ours = self.current.as_ref().map(|current| current.prompt.as_str());
        Some(ours.map_or(Receipt::Other, |ours| compare(&self.parts.profile, ours, received)))
    }

    /// The agent said where its record is, or which conversation this is. One that tells of another prompt than ours may
    /// be of a conversation that the agent has with itself.
    fn note_record(&mut self, signal: &Signal, receipt: Option<Receipt>) {
        if signal.transcript.is_some() {
            self.ears.transcript.clone_from(&signal.transcript);
        }
        let is_ours = receipt != Some(Receipt::Other);
        if is_ours && signal.conversation.is_some() && signal.conversation != self.ears.conversation {
            self.ears.conversation.clone_from(&signal.conversation);
            self.ears.transcript = None;
        }
    }

    /// The agent took a prompt: ours, if it is the same text.
    fn note_receipt(&mut self, receipt: Option<Receipt>) {
        let (Some(receipt), Some(current)) = (receipt, &mut self.current) else { return };
        match receipt {
            Receipt::Other => return,
            Receipt::Exact => {}
            Receipt::Transformed => current.pen.transformed(),
        }
        current.report.taken = true;
        current.taken();
        current.pen.confirmed(Source::Hook);
    }

    fn note_report(&mut self, signal: Signal, receipt: Option<Receipt>) {
        let Some(current) = &mut self.current else { return };
        let is_its = receipt.map_or(current.report.taken, |receipt| receipt != Receipt::Other);
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
        let announced = self.parts.link.tells_notes() && !self.ears.missed && self.announces_end();
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

    /// What the agent said in the current turn: by its own word, by its record, or as its screen shows it; `None` while
    /// its record is waited for.
    pub(super) async fn said(&mut self, on_screen: Option<String>) -> Option<Said> {
        let told = self.told().await;
        if told.as_ref().is_some_and(|told| self.awaits_record(told)) {
            return None;
        }
        let told = told.unwrap_or_default();
        self.ears.context = told.usage.context.or(self.ears.context);
        let report = self.current.as_mut().map(|current| &mut current.report);
        let (by_hook, usage, failure) = report.map_or_else(Default::default, |report| {
            // A hook that has no receipt may be late, and of an older turn with the same prompt; the record knows better.
            let is_late = !report.taken && told.reply.is_some() && told.reply != report.reply;
            (report.reply.take().filter(|_| !is_late), report.usage, report.failure.take())
        });
        let sources = [(by_hook, "hook"), (told.reply, "transcript"), (on_screen, "screen")];
        let reply = sources.into_iter().find_map(|(text, source)| Some(Reply { text: text?, source }));
        Some(Said { reply, usage: usage.or(told.usage), failure })
    }

    /// True while the agent, whose turn is over, may still write that down. Some ends it never writes.
    fn awaits_record(&mut self, told: &Told) -> bool {
        let now = Instant::now();
        let Some(current) = &mut self.current else { return false };
        if told.is_whole {
            self.ears.unwritten = 0;
            return false;
        }
        let ended_badly = current.is_interrupted() || current.report.failure.is_some();
        if ended_badly || self.ears.unwritten >= UNWRITTEN {
            return false;
        }
        let until = *current.report.unwritten.get_or_insert(now) + WRITTEN;
        if now < until {
            self.look_again((now + Duration::from_millis(100)).min(until));
        } else {
            self.ears.unwritten += 1;
        }
        now < until
    }

    /// What the agent's record has of the current turn; `None` where no record is known.
    pub(super) async fn told(&mut self) -> Option<Told> {
        let current = self.current.as_ref().filter(|current| current.report.is_fresh)?;
        self.parts.link.record()?;
        let sought = Sought { prompt: current.prompt.as_str().to_owned(), since: current.report.since };
        let (known, conversation) = (self.ears.transcript.clone(), self.ears.conversation.clone());
        let (link, name) = (self.parts.link.clone(), self.parts.name.clone());
        let read = move || {
            let (rule, records) = link.record()?;
            let file = match (&rule.whereabouts, known, conversation) {
                (Whereabouts::Own(own), ..) => records.own(own),
                (_, Some(file), _) => file,
                (_, None, conversation) => match records.find(&conversation?) {
                    Ok(file) => file?,
                    Err(error) => {
                        log::warn!("session {name}: its agent's record cannot be looked for: {error}");
                        return None;
                    }
                },
            };
            let told = transcript::read(&link.profile, rule, records, &file, &sought);
            let told = told.inspect_err(|error| {
                // Some begin their record with the first answer.
                let level = if error.kind() == NotFound { log::Level::Debug } else { log::Level::Warn };
                log::log!(level, "session {name}: {} cannot be read: {error}", file.display());
            });
            let nothing = Told { is_whole: rule.end.is_empty(), ..Told::default() };
            Some((file, told.ok().flatten().unwrap_or(nothing)))
        };
        let (file, told) = tokio::task::spawn_blocking(read).await.ok().flatten()?;
        self.ears.transcript = Some(file);
        Some(told)
    }
}

impl Ears {
    pub(super) fn new(link: &Link) -> Self {
        let transcript = link.record().and_then(|(_, records)| records.recall());
        Self { transcript, ..Self::default() }
    }
}

impl Report {
    /// Of a turn that begins now.
    pub(super) fn new(link: &Link) -> Self {
        Self {
            since: Timestamp::now(),
            is_fresh: link.empty_records(),
            taken: false,
            ended: false,
            reply: None,
            failure: None,
            usage: Usage::default(),
            awaited: None,
            unwritten: None,
        }
    }

    /// The end was not the end.
    pub(super) fn goes_on(&mut self) {
        (self.awaited, self.unwritten) = (None, None);
    }
}
