//! Operations as sequences of tmux commands.
//!
//! Nothing that a user wrote stands in a format or a nested command: names are validated (`[A-Za-z0-9_-]`),
//! ids are [`Target`]s, and the label is an option's value, which tmux does not expand.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use agentmux_core::input::Key;
use agentmux_core::terminal::{Launch, PaneId};

use crate::label::LABEL_OPTION;
use crate::parse::{ADDRESS, META, PANE_ROW, PROCESS};

/// Commands that the server runs in order, without a break, until one fails.
#[derive(Debug, Default)]
pub(crate) struct Commands(Vec<OsString>);

impl Commands {
    /// Adds one command. tmux takes a `;` at an argument's end for the end of the command, so it is escaped.
    fn then<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        if !self.0.is_empty() {
            self.0.push(";".into());
        }
        self.0.extend(arguments.into_iter().map(|argument| escape(argument.as_ref())));
        self
    }

    /// The arguments of the tmux program.
    pub(crate) fn into_arguments(self) -> Vec<OsString> {
        self.0
    }
}

fn escape(argument: &OsStr) -> OsString {
    match argument.as_bytes().strip_suffix(b";") {
        Some(before) => OsString::from_vec([before, b"\\;"].concat()),
        None => argument.to_owned(),
    }
}

/// A pane's id that is one: `%` and digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target(String);

impl Target {
    /// Checks an id; `None` for a text that no pane can have.
    pub(crate) fn parse(pane: &PaneId) -> Option<Self> {
        let digits = pane.as_str().strip_prefix('%')?;
        let is_id = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        is_id.then(|| Self(pane.as_str().to_owned()))
    }

    /// The id as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Set once in a server's life, on our own server only.
///
/// `window-size manual` is not among them: set globally it crashes 3.3a at the next `new-session -d`.
const SERVER_OPTIONS: &str = "set-option -s exit-empty off ; set-option -s set-clipboard off ; \
     set-option -s default-terminal screen-256color ; set-option -g history-limit 5000 ; \
     set-option -g status off ; set-option -g mouse off ; set-option -g destroy-unattached off ; \
     set-option -wg remain-on-exit on ; set-option -wgq remain-on-exit-format '' ; \
     set-option -wg automatic-rename off ; set-option -wg allow-rename off ; \
     set-option -s @agentmux_server 1";

/// Makes the session and marks its pane; prints the pane's id and address.
pub(crate) fn spawn(
    launch: &Launch,
    launcher: &[OsString],
    file: &Path,
    label: &str,
    owned: bool,
) -> Commands {
    let session = format!("={}:", launch.name);
    let (columns, rows) = (launch.size.columns.to_string(), launch.size.rows.to_string());
    let mut create: Vec<OsString> = ["new-session", "-d", "-P", "-F", ADDRESS].map(OsString::from).into();
    create.extend(["-s", launch.name.as_str(), "-n", launch.window.as_str()].map(OsString::from));
    create.extend(["-x", &columns, "-y", &rows, "--"].map(OsString::from));
    create.extend(launcher.iter().cloned());
    create.push(file.into());

    let start = if owned {
        Commands::default().then(["start-server"]).then([
            "if-shell",
            "-F",
            "#{@agentmux_server}",
            "",
            SERVER_OPTIONS,
        ])
    } else {
        Commands::default().then(["start-server"])
    };
    start
        .then(create)
        .then(["set-option", "-p", "-t", &session, LABEL_OPTION, label])
        .then(["set-option", "-p", "-t", &session, "remain-on-exit", "on"])
        // From 3.3 on: the line "Pane is dead" would overwrite a row of the program's last screen.
        .then(["set-option", "-p", "-q", "-t", &session, "remain-on-exit-format", ""])
        .then(["set-option", "-w", "-t", &session, "window-size", "manual"])
        .then(["set-option", "-w", "-t", &session, "automatic-rename", "off"])
        .then(["set-option", "-w", "-t", &session, "allow-rename", "off"])
        .then(["set-option", "-t", &session, "destroy-unattached", "off"])
}

/// Prints one row a pane; a pane in a linked window has several.
pub(crate) fn panes() -> Commands {
    Commands::default().then(["list-panes", "-a", "-F", PANE_ROW])
}

/// Prints each pane's metadata and then its rows, with up to `history` of those that scrolled out.
pub(crate) fn read(panes: &[Target], history: u32) -> Commands {
    panes.iter().fold(Commands::default(), |commands, Target(pane)| {
        let commands = commands.then(["display-message", "-p", "-t", pane, META]);
        let capture = ["capture-pane", "-p", "-e", "-t", pane];
        match history {
            0 => commands.then(capture),
            _ => commands.then(capture.into_iter().chain(["-S", &format!("-{history}")])),
        }
    })
}

/// Loads the buffer from standard input and pastes it; prints something where the program has ended.
///
/// The guard stands in the same sequence because 3.2a and 3.3a crash when a dead pane is pasted into.
/// `has-session` fails for a pane that is gone; the condition of `if-shell` would then look at another pane.
pub(crate) fn paste(Target(pane): &Target, buffer: &str) -> Commands {
    Commands::default()
        .then(["has-session", "-t", pane])
        .then(["load-buffer", "-b", buffer, "-"])
        .then(["has-session", "-t", pane])
        .then([
            "if-shell",
            "-F",
            "-t",
            pane,
            "#{pane_dead}",
            &format!("delete-buffer -b {buffer} ; display-message -p exited"),
            &format!("paste-buffer -p -r -d -b {buffer} -t {pane}"),
        ])
}

/// Drops a buffer that was not pasted.
pub(crate) fn delete_buffer(buffer: &str) -> Commands {
    Commands::default().then(["delete-buffer", "-b", buffer])
}

/// Leaves copy mode (and any other) and presses the keys; prints something where the program has ended.
pub(crate) fn keys(Target(pane): &Target, keys: &[Key]) -> Commands {
    let names: Vec<_> = keys.iter().copied().map(key_name).collect();
    Commands::default().then(["copy-mode", "-q", "-t", pane]).then([
        "if-shell",
        "-F",
        "-t",
        pane,
        "#{pane_dead}",
        "display-message -p exited",
        &format!("send-keys -t {pane} {}", names.join(" ")),
    ])
}

/// Prints the process of the pane and whether it has ended, and removes the pane.
///
/// Not its session: a window linked elsewhere survives `kill-session`. Not its window: a person may have
/// split it.
pub(crate) fn kill(Target(pane): &Target) -> Commands {
    Commands::default()
        .then(["has-session", "-t", pane])
        .then(["display-message", "-p", "-t", pane, PROCESS])
        .then(["kill-pane", "-t", pane])
}

/// Prints the version of the running server.
pub(crate) fn server_version() -> Commands {
    Commands::default().then(["display-message", "-p", "#{version}"])
}

fn key_name(key: Key) -> &'static str {
    match key {
        Key::Backspace => "BSpace",
        Key::Delete => "DC",
        Key::Down => "Down",
        Key::Enter => "Enter",
        Key::Escape => "Escape",
        Key::Left => "Left",
        Key::Right => "Right",
        Key::Space => "Space",
        Key::Tab => "Tab",
        Key::Up => "Up",
        Key::CtrlC => "C-c",
        Key::CtrlD => "C-d",
        Key::CtrlU => "C-u",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(commands: Commands) -> String {
        let arguments = commands.into_arguments();
        arguments.iter().map(|a| a.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    fn target() -> Target {
        Target::parse(&PaneId::new("%5")).unwrap()
    }

    #[test]
    fn only_ids_of_panes_are_targets() {
        for id in ["", "%", "5", "@1", "$1", "%1;kill-server", "%-1", "%1 ", "%é", "agent:0.0"] {
            assert_eq!(Target::parse(&PaneId::new(id)), None, "{id}");
        }
    }

    #[test]
    fn a_semicolon_at_the_end_of_an_argument_is_kept() {
        for (argument, escaped) in [("x;", "x\\;"), (";", "\\;"), ("a;b", "a;b"), ("", "")] {
            assert_eq!(escape(OsStr::new(argument)), OsStr::new(escaped));
        }
    }

    #[test]
    fn operations_become_these_commands() {
        let table = [
            (
                paste(&target(), "b1"),
                "has-session -t %5 ; load-buffer -b b1 - ; has-session -t %5 ; \
                 if-shell -F -t %5 #{pane_dead} delete-buffer -b b1 ; display-message -p exited \
                 paste-buffer -p -r -d -b b1 -t %5",
            ),
            (
                keys(&target(), &[Key::Up, Key::CtrlC, Key::Enter]),
                "copy-mode -q -t %5 ; if-shell -F -t %5 #{pane_dead} display-message -p exited \
                 send-keys -t %5 Up C-c Enter",
            ),
            (
                kill(&target()),
                "has-session -t %5 ; display-message -p -t %5 #{pane_pid} #{pane_dead} #{pid} ; \
                 kill-pane -t %5",
            ),
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
        let spawn = |owned| line(spawn(&launch, &["/bin/l;".into()], Path::new("/f"), "{}", owned));
        assert!(spawn(true).contains("exit-empty off"));
        let foreign = spawn(false);
        assert!(
            !foreign.contains(" -g") && !foreign.contains(" -wg") && !foreign.contains(" -s exit"),
            "{foreign}"
        );
        assert!(foreign.contains("-x 120 -y 40 -- /bin/l\\; /f ;"), "{foreign}");
    }
}
