//! Where a reader of the documentation sits: a fresh home, agentmux installed in it, terminals, and the repository.

use std::os::unix::fs::symlink;

use serde_json::Value;

use super::likeness::is_like;
use super::page::{Block, How, Page, Seen, Use, repository};
use crate::client::program;
use crate::contrib::has;
use crate::harness::{Client, PATIENCE, Setup, Tmux, within};

/// The shell in which all commands of a page run, one after another: it reads the name of a file, runs what is in it, and
/// tells that it has ended by the title of its terminal, which comes after all that was printed. Where a command of a block
/// fails, the shell ends.
const SHELL: &str = r#"
trap : INT
trap "printf '\\033]2;failed\\033\\\\'" EXIT
amx_number=0
while :; do
    stty -echo
    printf '\033]2;%s have ended\033\\' "$amx_number"
    IFS= read -r amx_file || exit
    stty echo
    . "$amx_file"
    amx_number=$((amx_number + 1))
done
"#;

/// The claude and codex of this home: the demo agent, with hooks.
const PROFILE: &str = r#"
extends = "demo"
[signals]
args = ["--hooks", "{relay}"]
[[signals.event]]
name = "UserPromptSubmit"
means = "submitted"
turn = "/prompt_id"
prompt = "/prompt"
[[signals.event]]
name = "Stop"
means = "done"
turn = "/prompt_id"
reply = "/last_assistant_message"
"#;

/// Set, it has the pages rewritten to show what was seen.
const REWRITE: &str = "AGENTMUX_REWRITE_DOCS";

const READER: &str = "reader";

/// A reader's home and terminals.
#[derive(Debug)]
pub(crate) struct Desk {
    setup: Setup,
    terminals: Tmux,
    /// What is run now.
    now: String,
    /// How much has been run before.
    commands: usize,
    /// The terminals of daemons.
    daemons: Vec<String>,
}

impl Desk {
    /// One in whose home `claude` and `codex` are the demo agent.
    pub(crate) fn new() -> Self {
        Self::with_agents(home())
    }

    /// The same in a home that has more in it.
    pub(crate) fn with_agents(setup: Setup) -> Self {
        let profile = |name: &str| format!(".config/agentmux/agents/{name}.toml");
        Self::in_home(setup.write(&profile("claude"), PROFILE).write(&profile("codex"), PROFILE))
    }

    pub(crate) fn in_home(setup: Setup) -> Self {
        let setup = setup.write("shell", SHELL);
        let here = setup.file("agentmux");
        std::fs::create_dir_all(&here).unwrap();
        for name in ["contrib", "docs", "tests"] {
            symlink(repository().join(name), here.join(name)).unwrap();
        }
        let terminals = Tmux::on(&setup.file("terminal.sock"));
        let desk = Self { setup, terminals, now: String::new(), commands: 0, daemons: Vec::new() };
        desk.open(READER, "shell");
        // What comes earlier is echoed by its terminal.
        desk.rests();
        desk
    }

    /// A terminal in which that file of the home is run.
    fn open(&self, name: &str, file: &str) {
        let run = format!("exec {} sh '{}'", self.setup.assignments(), self.setup.file(file).display());
        let folder = self.setup.file("agentmux").display().to_string();
        let new = ["new-session", "-d", "-s", name, "-x", "110", "-y", "40", "-c", &folder, &run];
        let stays = ["start-server", ";", "set-option", "-g", "remain-on-exit", "on", ";"];
        self.terminals.run(&[&stays[..], &new].concat());
    }

    /// Follows the page from its beginning to its end; `before` sees each block before it is run.
    pub(crate) fn follow(mut self, page: &Page, agent: Option<&str>, before: impl Fn(&mut Self, &Block)) {
        let mut seen = Vec::new();
        for block in page.blocks.iter().filter(|block| block.agent.as_deref() == agent) {
            if let Use::File(path) = &block.use_ {
                let file = path.strip_prefix("~/").unwrap_or_else(|| panic!("{path} is not in the home"));
                self.write(file, &block.text);
            }
            let Use::Run(how, steps) = &block.use_ else { continue };
            before(&mut self, block);
            for step in steps {
                let shown = step.shown.as_ref().map(|lines| page.shown(block, lines));
                let output = self.run(*how, &step.command, shown.as_deref());
                let (Some(lines), Some(shown)) = (&step.shown, shown) else { continue };
                let output = self.as_in_a_page(&output);
                if !is_like(&shown, &output) {
                    assert!(
                        std::env::var_os(REWRITE).is_some(),
                        "{}:{}: $ {}\n--- shows\n{shown}\n--- prints\n{output}\n--- {REWRITE}=1 has it rewritten",
                        page.name,
                        lines.start,
                        step.command
                    );
                    seen.push(Seen { lines: lines.clone(), text: output, indent: block.indent });
                }
            }
        }
        if !seen.is_empty() {
            page.rewrite(seen);
        }
        self.leave();
    }

    /// Runs a step; what it printed.
    #[track_caller]
    fn run(&mut self, how: How, command: &str, shown: Option<&str>) -> String {
        match how {
            How::ByThemselves => self.command(command, shown.is_none()),
            How::ByThemselvesInZsh => {
                if !has("zsh") {
                    return String::new();
                }
                // One that knows nothing of its user yet.
                let file = format!("commands-{}.zsh", self.commands);
                self.write(&file, command);
                self.command(&format!("zsh -f '{}'", self.setup.file(&file).display()), true)
            }
            How::ByCtrlC => {
                // It must not have ended by itself: a refusal would print something, too.
                self.begin(&format!("{command}\n[ $? = 130 ] || exit"));
                let output = self.until("it prints something", |output| !output.trim().is_empty());
                self.terminals.run(&["send-keys", "-t", READER, "C-c"]);
                self.ended();
                output
            }
            How::ByDetaching => {
                self.begin(command);
                within(PATIENCE, "somebody is attached", || {
                    (!self.agents().attached().is_empty()).then_some(())
                });
                let output = self.until("the screen is the one that is shown", |output| match shown {
                    Some(shown) if std::env::var_os(REWRITE).is_none() => {
                        is_like(shown, &self.as_in_a_page(output))
                    }
                    _ => !output.trim().is_empty(),
                });
                self.terminals.run(&["send-keys", "-t", READER, "C-b", "d"]);
                self.ended();
                output
            }
            How::WithThePage => self.daemon(command),
        }
    }

    /// A daemon for a page that does not start one.
    pub(crate) fn start_daemon(&mut self) {
        self.daemon("agentmux");
    }

    /// Starts a daemon in a terminal of its own; what it printed when it listened.
    #[track_caller]
    fn daemon(&mut self, command: &str) -> String {
        let name = format!("daemon-{}", self.daemons.len());
        // The shell outlives the Ctrl-C that is for the daemon. It tells how that ended by a file: tmux 3.3a, told of many
        // ends at once, may miss one.
        let status = self.setup.file(&format!("{name}-status"));
        self.write(&name, &format!("trap : INT\n{command}\necho $? >'{}'", status.display()));
        self.open(&name, &name);
        self.daemons.push(name.clone());
        let output = self.until_in(&name, "the daemon listens", |output| output.contains(r#""ok": true"#));
        self.settle();
        output
    }

    /// Runs commands in the reader's shell; what they printed. A block stops where one fails, and must not.
    #[track_caller]
    pub(crate) fn command(&mut self, commands: &str, must_succeed: bool) -> String {
        match must_succeed {
            true => self.begin(&format!("set -e\n{commands}\nset +e")),
            false => self.begin(commands),
        }
        self.ended();
        self.screen(READER)
    }

    fn begin(&mut self, commands: &str) {
        commands.clone_into(&mut self.now);
        let file = format!("commands-{}", self.commands);
        self.write(&file, commands);
        let file = self.setup.file(&file).display().to_string();
        self.terminals.run(&["send-keys", "-R", "-t", READER, ";", "clear-history", "-t", READER]);
        self.terminals.run(&["send-keys", "-t", READER, "-l", &file]);
        self.terminals.run(&["send-keys", "-t", READER, "Enter"]);
    }

    /// Waits until the commands have ended.
    #[track_caller]
    fn ended(&mut self) {
        self.commands += 1;
        self.rests();
    }

    /// Waits until the reader's shell reads what is to be run next.
    #[track_caller]
    fn rests(&self) {
        let title = format!("{} have ended", self.commands);
        within(PATIENCE * 4, "the commands have ended", || {
            let now = self.terminals.run(&["display-message", "-p", "-t", READER, "#{pane_title}"]);
            assert_ne!(now, "failed", "a command has failed of these:\n{}", self.now);
            (now == title).then_some(())
        });
    }

    #[track_caller]
    fn until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        self.until_in(READER, what, wanted)
    }

    #[track_caller]
    fn until_in(&self, terminal: &str, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        within(PATIENCE, what, || Some(self.screen(terminal)).filter(|output| wanted(output)))
    }

    /// What a terminal shows, and what scrolled out of it; long lines are not broken.
    fn screen(&self, terminal: &str) -> String {
        self.terminals.run(&["capture-pane", "-p", "-J", "-t", terminal, "-S", "-"])
    }

    /// Shell and curl find the daemon where the pages say that it is, though it has another port; and curl fails
    /// where it refuses.
    fn settle(&self) {
        let Some(port) = self.port() else { return };
        self.write(".curlrc", &format!("fail-with-body\nconnect-to = \"127.0.0.1:8765:127.0.0.1:{port}\"\n"));
    }

    /// The daemon's port.
    fn port(&self) -> Option<String> {
        let file = std::fs::read(self.setup.file(".agentmux/daemon.json")).ok()?;
        let file: Value = serde_json::from_slice(&file).unwrap();
        Some(file["url"].as_str().unwrap().rsplit(':').next().unwrap().to_owned())
    }

    /// The daemon of this home, asked by its token.
    pub(crate) fn client(&self) -> Client {
        let token = std::fs::read_to_string(self.setup.file(".agentmux/token")).unwrap();
        Client::new(self.port().unwrap().parse().unwrap(), Some(token.trim().to_owned()))
    }

    /// The secret of a session's hooks.
    pub(crate) fn secret(&self, id: &str) -> String {
        let file = self.setup.file(".agentmux/sessions").join(id).join("hook.json");
        let key: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        key["secret"].as_str().unwrap().to_owned()
    }

    /// The tmux server of that daemon.
    fn agents(&self) -> Tmux {
        Tmux::on(&self.setup.file(".agentmux/tmux.sock"))
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.setup.file(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    /// An output as pages show it: of a user whose home has a name.
    fn as_in_a_page(&self, output: &str) -> String {
        let home = self.setup.file("").display().to_string();
        let mut output = output.replace(home.trim_end_matches('/'), "/home/me");
        if let Some(port) = self.port() {
            output = output.replace(&port, "8765");
        }
        output.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }

    /// Ends what stays, as its user would.
    fn leave(self) {
        for daemon in &self.daemons {
            self.terminals.run(&["send-keys", "-t", daemon, "C-c"]);
            let file = self.setup.file(&format!("{daemon}-status"));
            let status = within(PATIENCE, "the daemon has ended", || {
                std::fs::read_to_string(&file).ok().filter(|status| status.ends_with('\n'))
            });
            assert_eq!(status, "0\n", "{}", self.screen(daemon));
        }
    }
}

/// A home in which agentmux is installed, as by `contrib/install.sh`, and a login shell has its folder in PATH.
pub(crate) fn home() -> Setup {
    let setup = Setup::new().installed_at(".cargo/bin/agentmuxd");
    setup.install(&program(), ".cargo/bin/agentmux");
    let path =
        format!("{}:/usr/local/bin:/opt/homebrew/bin:/usr/bin:/bin", setup.file(".cargo/bin").display());
    let home = setup.file("").display().to_string();
    ["AGENTMUX_STATE_DIR", "AGENTMUX_LOGIN_ENV", "AGENTMUX_AGENT", "AGENTMUX_REPL_CMD"]
        .into_iter()
        .fold(setup, Setup::without)
        .env("HOME", home.trim_end_matches('/'))
        .env("PATH", &path)
        .env("TERM", "screen-256color")
        .env("LANG", "C.UTF-8")
}

impl Drop for Desk {
    /// Shows, with a failed test, what the terminals showed.
    fn drop(&mut self) {
        if std::thread::panicking() {
            for terminal in self.terminals.sessions() {
                eprintln!("--- the terminal {terminal}\n{}", self.screen(&terminal));
            }
            let log = std::fs::read_to_string(self.setup.file(".agentmux/agentmux.log"));
            eprintln!("--- the daemon's log\n{}", log.unwrap_or_default());
        }
    }
}
