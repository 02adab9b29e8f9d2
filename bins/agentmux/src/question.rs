//! What an agent asks, in words; and the verb `answer`.

use agentmux_api::{AnswerRequest, Answered, NumberOrLabel, Question};

use crate::client::{Client, escaped};
use crate::ending::{Ending, Failed, Status};
use crate::output::told;
use crate::{args, sessions};

pub(crate) async fn answer(client: &Client, asked: args::Answer, json: bool) -> Result<Ending, Failed> {
    let session = sessions::named(client, asked.session).await?;
    let choice = asked.choice.map(|choice| match choice.parse() {
        Ok(number) => NumberOrLabel::Number(number),
        Err(_) => NumberOrLabel::Label(choice),
    });
    let request = AnswerRequest {
        choice,
        text: asked.text,
        approve: asked.approve.then_some(true),
        deny: asked.deny.then_some(true),
        question: asked.question,
    };
    let path = format!("/sessions/{}/answer", escaped(&session));
    let answered: Answered = client.post(&path, &request, 0.0).await?;
    let session = &answered.session;
    told(json, &answered, || match &answered.option {
        Some(option) => format!("answered {}: {option}", session.name),
        None => format!("answered {}", session.name),
    })?;
    Ok(match &session.question {
        Some(next) => Ending::because(Status::NeedsInput, told_with_hint(&session.name, next)),
        None => Ending::DONE,
    })
}

/// The question as a person reads it.
pub(crate) fn described(question: &Question) -> String {
    let mut lines = vec![question.text.clone()];
    lines.extend(question.options.iter().map(|option| {
        let mark = if option.selected { '>' } else { ' ' };
        let tick = option.ticked.map_or("", |ticked| if ticked { "[x] " } else { "[ ] " });
        let means = option.description.as_ref().map(|text| format!(" - {text}")).unwrap_or_default();
        format!("{mark} {}. {tick}{}{means}", option.number, option.label)
    }));
    lines.join("\n")
}

/// The question of a session, and how it is answered.
pub(crate) fn told_with_hint(session: &str, question: &Question) -> String {
    let takes = |word: &str| question.takes.iter().any(|taken| taken == word);
    let mut ways = Vec::new();
    if takes("approve") && takes("deny") {
        ways.push("--approve|--deny");
    } else if takes("approve") {
        ways.push("--approve");
    } else if takes("deny") {
        ways.push("--deny");
    }
    ways.extend(takes("choice").then_some("--choice N"));
    ways.extend(takes("text").then_some("--text TEXT"));
    let how = match ways.is_empty() {
        true => format!("agentmux attach {session}"),
        false => format!("agentmux answer {session} {}", ways.join(" | ")),
    };
    format!("session {session} asks ({}):\n{}\nanswer by `{how}`", question.kind, described(question))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agentmux_api::Choice;

    #[test]
    fn a_question_is_told_with_its_options_and_how_to_answer() {
        let option = |number, label: &str, selected| Choice {
            number,
            label: label.to_owned(),
            selected,
            ..Choice::default()
        };
        let question = Question {
            id: "q-1".to_owned(),
            kind: "permission".to_owned(),
            text: "rm -f x\n\nProceed?".to_owned(),
            options: vec![option(1, "Yes", true), option(2, "No", false)],
            multiple: false,
            takes: ["choice", "approve", "deny"].map(str::to_owned).to_vec(),
        };
        assert_eq!(
            told_with_hint("a", &question),
            "session a asks (permission):\nrm -f x\n\nProceed?\n> 1. Yes\n  2. No\n\
             answer by `agentmux answer a --approve|--deny | --choice N`"
        );
    }
}
