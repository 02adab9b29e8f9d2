//! Whether prompts reach the model byte for byte, and what the agents themselves make of some.

use super::Stage;

/// Prompts as they must arrive.
fn prompts() -> Vec<(&'static str, String)> {
    vec![
        (
            "several lines, and what shells and tmux take for theirs",
            "first of three\nsecond -- `x` #{pane_id} $(id)\nthird;".into(),
        ),
        ("a dash first, quotes, a backslash", "- \"quoted\" 'too' \\ back; `code`;".into()),
        ("a hash first, other scripts", "# 漢字 and 👍\n- é and **bold**\n* `code`;".into()),
        ("twelve lines", (1..=12).map(|i| format!("row {i};\n")).collect::<String>() + "end"),
        ("one long line", "word ".repeat(600) + "end"),
        (
            "ten kilobytes",
            (1..=250).map(|i| format!("row {i} of a long prompt, forty bytes\n")).collect::<String>() + "end",
        ),
        ("tabs", "a\tb\n\tc".into()),
        ("blanks first", "  two blanks".into()),
        ("a decomposed letter", "e\u{301}".into()),
        ("an at sign and a path", "user@host and ./a/path".into()),
        ("a question mark", "?".into()),
    ]
}

pub(super) fn table(stage: &Stage) {
    let mut wrong = Vec::new();
    for (number, (what, prompt)) in prompts().iter().enumerate() {
        let turn = if number == 0 { stage.run_turn(prompt) } else { stage.send_turn(prompt) };
        let arrived = stage.prompts();
        let arrived: Vec<_> = arrived.iter().skip(number).collect();
        let wanted = (stage.agent.made_of)(prompt);
        if turn["state"] != "done" || turn["reply"] != "PONG" || arrived != [&wanted] {
            wrong.push(format!("{what}: {} {} {:?}", turn["state"], turn["reply"], arrived));
        }
        assert_ne!(turn["waited_out"], true, "no end of: {wrong:#?}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
