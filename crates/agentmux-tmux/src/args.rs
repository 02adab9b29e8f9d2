//! Operations as sequences of tmux commands.
//!
//! Nothing that a user wrote stands in a format or a nested command: names are validated (`[A-Za-z0-9_-]`),
//! ids are [`Target`]s, and the label is an option's value, which tmux does not expand.

use std::ffi::OsString;
use std::path::Path;

use agentmux_core::input::Key;
use agentmux_core::terminal::Launch;

use crate::commands::Commands;
use crate::label::LABEL_OPTION;
use crate::parse::{ADDRESS, META, PANE_ROW, PROCESS};
use crate::target::Target;

/// The pane's option that holds the receipt of the last sequence that must not run twice.
pub(crate) const RECEIPT: &str = "@agentmux_receipt";

/// Set once in a server's life, on our own server only.
///
/// `window-size manual` is not among them: set globally it crashes 3.3a at the next `new-session -d`.
const SERVER_OPTIONS: &str = "set-option -s exit-empty off ; set-option -s set-clipboard off ; \
     set-option -s default-terminal screen-256color ; set-option -g history-limit 5000 ; \
     set-option -g status off ; set-option -g mouse off ; set-option -g destroy-unattached off ; \
     set-option -wg remain-on-exit on ; set-option -wgq remain-on-exit-format '' ; \
     set-option -wg automatic-rename off ; set-option -wg allow-rename off ; \
     set-option -s @agentmux_server 1";

/// Starts the server, where it does not run.
pub(crate) fn start(owned: bool) -> Commands {
    let start = Commands::default().then(["start-server"]);
    match owned {
        true => start.then(["if-shell", "-F", "#{@agentmux_server}", "", SERVER_OPTIONS]),
        false => start,
    }
}

/// Makes the session and marks its pane; prints the pane's id and address.
pub(crate) fn spawn(
    launch: &Launch,
    launcher: &[OsString],
    file: &Path,
    label: &str,
    receipt: &str,
    owned: bool,
) -> Commands {
    let session = format!("={}:", launch.name);
    let (columns, rows) = (launch.size.columns.to_string(), launch.size.rows.to_string());
    let mut create: Vec<OsString> = ["new-session", "-d", "-P", "-F", ADDRESS].map(OsString::from).into();
    create.extend(["-s", launch.name.as_str(), "-n", launch.window.as_str()].map(OsString::from));
    create.extend(["-x", &columns, "-y", &rows, "--"].map(OsString::from));
    create.extend(launcher.iter().cloned());
    create.push(file.into());

    start(owned)
        .then(create)
        .then(["set-option", "-p", "-t", &session, LABEL_OPTION, label])
        .then(["set-option", "-p", "-t", &session, "remain-on-exit", "on"])
        // From 3.3 on: the line "Pane is dead" would overwrite a row of the program's last screen.
        .then(["set-option", "-p", "-q", "-t", &session, "remain-on-exit-format", ""])
        .then(["set-option", "-w", "-t", &session, "window-size", "manual"])
        .then(["set-option", "-w", "-t", &session, "automatic-rename", "off"])
        .then(["set-option", "-w", "-t", &session, "allow-rename", "off"])
        .then(["set-option", "-t", &session, "destroy-unattached", "off"])
        .then(["set-option", "-p", "-t", &session, RECEIPT, receipt])
        .with_receipt(receipt)
}

/// Prints one row a pane; a pane in a linked window has several.
pub(crate) fn panes() -> Commands {
    Commands::default().then(["list-panes", "-a", "-F", PANE_ROW])
}

/// Prints the [`ADDRESS`] of the pane on which this receipt was left.
pub(crate) fn receipt(receipt: &str) -> Commands {
    let filter = format!("#{{==:#{{{RECEIPT}}},{receipt}}}");
    Commands::default().then(["list-panes", "-a", "-f", &filter, "-F", ADDRESS])
}

/// Prints each pane's metadata and then its rows, with up to `history` of those that scrolled out.
///
/// In one sequence: in two round trips they differed in up to half of the readings.
pub(crate) fn read(panes: &[Target], history: u32) -> Commands {
    panes.iter().fold(Commands::default(), |commands, target| {
        let pane = target.as_str();
        let commands = commands.then(["display-message", "-p", "-t", pane, META]);
        let capture = ["capture-pane", "-p", "-e", "-t", pane];
        match history {
            0 => commands.then(capture),
            _ => commands.then(capture.into_iter().chain(["-S", &format!("-{history}")])),
        }
    })
}

/// Prints the pane's text, with up to `history` of the rows that scrolled out.
pub(crate) fn text(target: &Target, history: u32) -> Commands {
    Commands::default().then(["capture-pane", "-p", "-t", target.as_str(), "-S", &format!("-{history}")])
}

/// Loads the buffer from the input and pastes it; prints something where the program has ended.
///
/// The guard stands in the same sequence because 3.2a and 3.3a crash when a dead pane is pasted into.
/// `has-session` fails for a pane that is gone; the condition of `if-shell` would then look at another pane.
/// The buffer (its name is unique) serves as the receipt.
pub(crate) fn paste(target: &Target, buffer: &str) -> Commands {
    let pane = target.as_str();
    Commands::default()
        .then(["has-session", "-t", pane])
        .then_load(buffer)
        .then(["has-session", "-t", pane])
        .then(unless_ended(
            pane,
            &format!("delete-buffer -b {buffer} ; display-message -p {ENDED}"),
            &format!("paste-buffer -p -r -d -b {buffer} -t '{pane}' ; {}", leave(pane, buffer)),
        ))
        .with_receipt(buffer)
}

/// What the guarded sequences print where the program has ended.
pub(crate) const ENDED: &str = "ended";

/// The guard: the one command where the pane's program has ended, the other where it runs.
fn unless_ended<'a>(pane: &'a str, ended: &'a str, runs: &'a str) -> [&'a str; 7] {
    ["if-shell", "-F", "-t", pane, "#{pane_dead}", ended, runs]
}

/// Within single quotes: a bare `$` or `%` at the beginning of a word may mean something to the parser.
fn leave(pane: &str, receipt: &str) -> String {
    format!("set-option -p -t '{pane}' {RECEIPT} {receipt}")
}

/// Drops a buffer that was not pasted.
pub(crate) fn delete_buffer(buffer: &str) -> Commands {
    Commands::default().then(["delete-buffer", "-b", buffer])
}

/// Leaves copy mode (and any other) and presses the keys; prints something where the program has ended.
pub(crate) fn keys(target: &Target, keys: &[Key], receipt: &str) -> Commands {
    let pane = target.as_str();
    let pressed: Vec<_> =
        keys.iter().map(|key| format!("send-keys -t '{pane}' {}", key_argument(*key))).collect();
    Commands::default()
        .then(["copy-mode", "-q", "-t", pane])
        .then(unless_ended(
            pane,
            &format!("display-message -p {ENDED}"),
            &format!("{} ; {}", pressed.join(" ; "), leave(pane, receipt)),
        ))
        .with_receipt(receipt)
}

/// Prints the process of the pane and whether it has ended.
pub(crate) fn process(target: &Target) -> Commands {
    let pane = target.pane();
    Commands::default().then(["has-session", "-t", pane]).then(["display-message", "-p", "-t", pane, PROCESS])
}

/// Removes the pane, wherever its window is linked.
///
/// Not its session: a window linked elsewhere survives `kill-session`. Not its window: a person may have
/// split it.
pub(crate) fn kill(target: &Target) -> Commands {
    Commands::default().then(["kill-pane", "-t", target.pane()])
}

/// Links the pane's window into the hidden session, whose current window stays the same.
pub(crate) fn link(target: &Target, hidden: &str) -> Commands {
    Commands::default().then(["link-window", "-d", "-s", target.pane(), "-t", &format!("={hidden}:")])
}

/// Unlinks the pane's window from the hidden session; fails where it is linked nowhere else.
pub(crate) fn unlink(target: &Target, hidden: &str) -> Commands {
    Commands::default().then(["unlink-window", "-t", &format!("={hidden}:.{}", target.pane())])
}

/// Ends the hidden session; linked windows live on in their own sessions.
///
/// `destroy-unattached` would do that by itself, but not detach a client that is just ending, and a server
/// that then looks at that client crashes (seen on 3.3a; tmux issue 4851).
pub(crate) fn unhide(hidden: &str) -> Commands {
    Commands::default().then(["kill-session", "-t", &format!("={hidden}")])
}

/// Ends the hidden session while this process, the watcher, sits in it.
///
/// Its subscription goes first: 3.3a crashes where it checks one for a client whose session is gone. (So it
/// may where a person kills that session, or the server.)
pub(crate) fn unwatch(watcher: u32, hidden: &str) -> Commands {
    let client = format!("client-{watcher}");
    let unsubscribe = Commands::default().then(["refresh-client", "-t", &client, "-B", SUBSCRIPTION]);
    unsubscribe.then(["kill-session", "-t", &format!("={hidden}")])
}

/// The name of the watcher's subscription.
pub(crate) const SUBSCRIPTION: &str = "deaths";

/// Prints the processes of the clients of the hidden session.
pub(crate) fn clients(hidden: &str) -> Commands {
    Commands::default().then(["list-clients", "-t", &format!("={hidden}"), "-F", "#{client_pid}"])
}

/// Prints the version of the running server.
pub(crate) fn server_version() -> Commands {
    Commands::default().then(["display-message", "-p", "#{version}"])
}

/// A key as `send-keys` takes it. A character goes as the numbers of its bytes: here it stands in a command's text.
fn key_argument(key: Key) -> String {
    let name = match key {
        Key::Backspace => "BSpace",
        Key::Delete => "DC",
        Key::Down => "Down",
        Key::End => "End",
        Key::Enter => "Enter",
        Key::Escape => "Escape",
        Key::Home => "Home",
        Key::Left => "Left",
        Key::PageDown => "NPage",
        Key::PageUp => "PPage",
        Key::Right => "Right",
        Key::Space => "Space",
        Key::Tab => "Tab",
        Key::Up => "Up",
        Key::Ctrl(letter) => return format!("C-{letter}"),
        Key::F(number) => return format!("F{number}"),
        Key::Char(c) => {
            let bytes: Vec<_> = c.to_string().bytes().map(|byte| format!("{byte:x}")).collect();
            return format!("-H {}", bytes.join(" "));
        }
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use agentmux_core::terminal::PaneId;

    use super::*;

    fn line(commands: Commands) -> String {
        let arguments = commands.arguments();
        arguments.iter().map(|a| a.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    fn target() -> Target {
        Target::parse(&PaneId::new("%5")).unwrap()
    }

    #[test]
    fn operations_become_these_commands() {
        let at_home = target().at("$3");
        let table = [
            (
                paste(&at_home, "b1"),
                "has-session -t $3:.%5 ; load-buffer -b b1 - ; has-session -t $3:.%5 ; \
                 if-shell -F -t $3:.%5 #{pane_dead} delete-buffer -b b1 ; display-message -p ended \
                 paste-buffer -p -r -d -b b1 -t '$3:.%5' ; set-option -p -t '$3:.%5' @agentmux_receipt b1",
            ),
            (
                keys(&target(), &[Key::Up, Key::Ctrl('c'), Key::Char(';'), Key::F(3)], "r1"),
                "copy-mode -q -t %5 ; if-shell -F -t %5 #{pane_dead} display-message -p ended \
                 send-keys -t '%5' Up ; send-keys -t '%5' C-c ; send-keys -t '%5' -H 3b ; send-keys -t '%5' F3 ; set-option -p -t '%5' @agentmux_receipt r1",
            ),
            (
                process(&at_home),
                "has-session -t %5 ; display-message -p -t %5 #{pane_pid} #{pane_dead} #{pid}",
            ),
            (kill(&at_home), "kill-pane -t %5"),
            (link(&at_home, "_h"), "link-window -d -s %5 -t =_h:"),
            (unlink(&at_home, "_h"), "unlink-window -t =_h:.%5"),
            (receipt("r1"), &format!("list-panes -a -f #{{==:#{{@agentmux_receipt}},r1}} -F {ADDRESS}")),
            (delete_buffer("b1"), "delete-buffer -b b1"),
        ];
        for (commands, expected) in table {
            assert_eq!(line(commands), expected);
        }
        let read = line(read(&[target(), target()], 7));
        assert_eq!(read.matches("capture-pane -p -e -t %5 -S -7").count(), 2, "{read}");
    }

    #[test]
    fn global_options_are_set_on_our_own_server_only() {
        let launch = crate::label::tests::launch();
        let spawn = |owned| line(spawn(&launch, &["/bin/l;".into()], Path::new("/f"), "{}", "r1", owned));
        assert!(spawn(true).contains("exit-empty off"));
        let foreign = spawn(false);
        assert!(
            !foreign.contains(" -g") && !foreign.contains(" -wg") && !foreign.contains(" -s exit"),
            "{foreign}"
        );
        assert!(foreign.contains("-x 120 -y 40 -- /bin/l\\; /f ;"), "{foreign}");
    }
}
