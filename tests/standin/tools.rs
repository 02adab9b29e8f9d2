//! The tools that agents offer to their model, and how the stand-in calls them.

use serde_json::{Value, json};

use super::schema::smallest;

/// A tool as an agent describes it.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) name: String,
    /// The JSON schema of its arguments.
    pub(crate) schema: Value,
}

/// A call of a tool.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) arguments: Value,
}

/// What each agent calls the tool that runs a command.
const SHELL: [&str; 5] = ["Bash", "exec_command", "run_shell_command", "bash", "shell"];

/// What each agent calls the tool that asks its user.
const QUESTION: [&str; 4] = ["AskUserQuestion", "ask_user_question", "ask_user", "question"];

/// The call that runs a command, if the agent offers such a tool.
pub(crate) fn shell(tools: &[Tool], command: &str) -> Option<Call> {
    let known = json!({
        "command": command, "cmd": command, "description": "Run the requested command",
        "is_background": false, "yield_time_ms": 30000,
    });
    let mut call = call(find(tools, &SHELL)?, &known);
    // What removes something asks to leave the sandbox: else Codex does not ask its user.
    if call.name == "exec_command" && command.starts_with("rm ") {
        call.arguments["sandbox_permissions"] = "require_escalated".into();
        call.arguments["justification"] = "The stand-in asks for more rights".into();
    }
    Some(call)
}

/// The call that asks the user for a colour, red or blue, if the agent offers such a tool.
pub(crate) fn question(tools: &[Tool]) -> Option<Call> {
    let tool = find(tools, &QUESTION)?;
    let options = json!([{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}]);
    let mut question = json!({
        "question": "Which colour do you prefer?", "header": "Colour", "multiSelect": false, "options": options,
    });
    // Some want to be told the kind of the question.
    if tool.schema.pointer("/properties/questions/items/properties/type").is_some() {
        question["type"] = "choice".into();
    }
    let colour = json!({"type": "string", "title": "Colour", "enum": ["Red", "Blue"]});
    let form = json!({"properties": {"colour": colour}, "required": ["colour"]});
    let known = json!({
        "questions": [question], "message": question["question"], "requestedSchema": form,
    });
    Some(call(tool, &known))
}

fn find<'a>(tools: &'a [Tool], names: &[&str]) -> Option<&'a Tool> {
    tools.iter().find(|tool| names.contains(&tool.name.as_str()))
}

/// A call with what the tool must have, and of what is `known` what it takes.
fn call(tool: &Tool, known: &Value) -> Call {
    let mut arguments = smallest(&tool.schema);
    for (name, value) in known.as_object().into_iter().flatten() {
        if tool.schema["properties"].get(name).is_some() {
            arguments[name] = value.clone();
        }
    }
    Call { name: tool.name.clone(), arguments }
}
