//! Prompts that name images: some agents attach those, and put a word for each into the text.

use serde_json::json;

use super::agents::{Agent, CLAUDE, CODEX, COPILOT, Folder, GEMINI, OPENCODE, QWEN};
use super::{Stage, is_done};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

/// A stage with these images in its working folder, whose agent has answered a prompt; and that folder.
fn with_images(agent: &'static Agent) -> Option<(Stage, String)> {
    let stage = Stage::set(agent, Folder::Trusted)?;
    for name in ["a.png", "B.PNG", "c d.png"] {
        std::fs::write(stage.file("work").join(name), PNG).unwrap();
    }
    stage.run_turn("PONG 1");
    let work = stage.file("work").display().to_string();
    Some((stage, work))
}

/// Claude Code takes out a line of a paste that is the path of an image; it may move the word for it, and lose a line feed.
#[test]
fn claude_takes_a_prompt_that_names_images() {
    let Some((stage, w)) = with_images(&CLAUDE) else { return };
    for (prompt, received) in [
        (
            format!("Look at these:\n{w}/a.png\n{w}/B.PNG\nand what is below\nthem,\nthen\nPONG 2"),
            "[Image #1] [Image #2]Look at these:\nand what is below\nthem,\nthen\nPONG 2",
        ),
        (format!("{w}/a.png\nsay PONG 3"), "[Image #3]say PONG 3"),
        (
            format!("one\ntwo\nthree\n'{w}/c d.png'\n{w}/c\\ d.png\nPONG 4"),
            "one\ntwo\nthree[Image #4] [Image #5]\nPONG 4",
        ),
        (format!("{w}/none.png\n{w}/a.png\nPONG 5"), "[Image #6]{w}/none.png\nPONG 5"),
        (
            format!("of [Image #1] and\n{w}/a.png\nPONG 6 {w}/a.png"),
            "[Image #7]of [Image #1] and\nPONG 6 {w}/a.png",
        ),
    ] {
        let turn = stage.send_turn(&prompt);
        is_done(&turn, &format!("PONG-{}", &prompt[prompt.rfind("PONG ").unwrap() + 5..][..1]));
        let told = (&turn["delivery"], &turn["receipt"], &turn["transformed"], &turn["reply_source"]);
        assert_eq!(told, (&json!("confirmed"), &json!("hook"), &json!(true), &json!("hook")), "{turn}");
        assert_eq!(stage.prompts().last(), Some(&received.replace("{w}", &w)));
    }
    // In the midst of a line it is text.
    for prompt in [format!("what is {w}/a.png in the middle PONG 7"), "PONG 7 [Image #1]".to_owned()] {
        let turn = stage.send_turn(&prompt);
        is_done(&turn, "PONG-7");
        assert_eq!((&turn["receipt"], turn.get("transformed")), (&json!("hook"), None), "{turn}");
        assert_eq!(stage.prompts().last(), Some(&prompt));
    }
}

#[test]
fn claude_takes_an_image_alone() {
    an_image_alone(&CLAUDE);
}

#[test]
fn codex_takes_an_image_alone() {
    an_image_alone(&CODEX);
}

#[test]
fn gemini_takes_an_image_alone() {
    an_image_alone(&GEMINI);
}

#[test]
fn opencode_takes_an_image_alone() {
    an_image_alone(&OPENCODE);
}

/// It sends no image without a text; what waits for one is not to go with the next prompt.
#[test]
fn qwen_is_not_sent_an_image_alone() {
    let Some((stage, w)) = with_images(&QWEN) else { return };
    let path = format!("{w}/a.png");
    stage.post("/send", json!({"text": path, "raw": false})).refused_as(422, "special");
    let turn = stage.send_turn(&path);
    assert_eq!(
        (&turn["state"], &turn["error"]["code"]),
        (&json!("failed"), &json!("not_submitted")),
        "{turn}"
    );
    stage.post("/send", json!({"text": "PONG 2"})).refused_as(409, "human_draft");
    assert_eq!(stage.prompts(), ["PONG 1"]);
}

#[test]
fn copilot_takes_an_image_alone() {
    an_image_alone(&COPILOT);
}

/// A prompt that is a path, and nothing else, is an image for all of these; some take one in their folder by its name.
fn an_image_alone(agent: &'static Agent) {
    let Some((stage, w)) = with_images(agent) else { return };
    for prompt in [format!("{w}/a.png"), format!("{w}/B.PNG"), format!("{w}/c\\ d.png"), "a.png".to_owned()] {
        let turn = stage.send_turn(&prompt);
        is_done(&turn, "PONG");
        assert_eq!(turn["delivery"], "confirmed", "{turn}");
    }
    is_done(&stage.send_turn(&format!("what is {w}/a.png PONG 2")), "PONG-2");
}
