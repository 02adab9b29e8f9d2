//! Starting a session: what is checked before, the place for it, and the way back when it does not get ready.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Entry, Inner, Registry, Sessions};
use crate::command::{check_argv, find_program};
use crate::environment::Environment;
use crate::error::Error;
use crate::input::{Invalid, SessionName, ShortName, Workdir};
use crate::profile::Profile;
use crate::question::Policy;
use crate::session::{Answering, Start, StartFailure};
use crate::signals::launch;
use crate::terminal::{Label, Launch, Size, TerminalError};

/// How a new session is to be started; empty means the daemon's defaults.
#[derive(Debug, Clone, Default)]
pub struct StartSpec {
    /// The profile's name.
    pub agent: Option<String>,
    /// The program and its arguments, instead of the profile's.
    pub command: Option<Vec<String>>,
    /// Where the agent starts.
    pub workdir: Option<Workdir>,
    /// Added to the agent's environment.
    pub env: BTreeMap<String, String>,
    /// The session's name.
    pub name: Option<SessionName>,
    /// Columns and rows.
    pub size: Option<Size>,
    /// What is done with its questions for permission.
    pub policy: Option<Policy>,
}

/// A start that was checked: nothing but the terminal and the agent itself can fail now.
pub(super) struct Plan {
    pub(super) profile: Arc<Profile>,
    name: Option<SessionName>,
    argv: Vec<String>,
    workdir: PathBuf,
    env: BTreeMap<OsString, OsString>,
    size: Size,
    policy: Policy,
    /// The id of the session in whose place it comes, and which goes when it is ready.
    pub(super) replaces: Option<String>,
}

/// Hears how a start ended.
pub(super) type Heard = oneshot::Receiver<Result<(), StartFailure>>;

/// The start of a session, under way; to let go of it changes nothing.
#[derive(Debug)]
pub struct Opening(pub(super) JoinHandle<Result<(), Error>>);

impl Opening {
    /// Waits until the session is ready.
    ///
    /// # Errors
    /// [`Error::NotReady`]; [`Error::SessionNotFound`] where it was killed meanwhile.
    pub async fn ready(self) -> Result<(), Error> {
        // The task ends early only with the whole runtime.
        self.0.await.unwrap_or(Err(Error::ShuttingDown))
    }
}

/// A session that got ready, and which was active before.
pub(super) struct Started {
    pub(super) name: SessionName,
    before: Option<String>,
}

impl Inner {
    /// Checks how a session is to be started.
    pub(super) async fn plan(&self, spec: StartSpec) -> Result<Plan, Error> {
        let settings = &self.settings;
        let agent = spec.agent.as_deref().unwrap_or(settings.agent.as_str());
        let profile = self.profiles.get(agent).ok_or_else(|| {
            Invalid::new(format!(
                "agent '{agent}' is unknown; known agents: {}",
                self.profiles.names().join(", ")
            ))
        })?;
        let argv = check_argv(spec.command.unwrap_or_else(|| settings.command_of(&profile)))?;
        // The file may have gone since it was parsed from the configuration.
        let workdir = match spec.workdir {
            Some(workdir) => workdir,
            None => Workdir::parse(&settings.workdir.as_path().to_string_lossy(), &settings.home)?,
        };
        let added: BTreeMap<OsString, OsString> =
            profile.env.iter().chain(&spec.env).map(|(key, value)| (key.into(), value.into())).collect();
        let environment = self.environment_with(&argv[0], added.get(OsStr::new("PATH")), &workdir).await?;
        let mut env = environment.variables.clone();
        env.extend(added);
        Ok(Plan {
            profile,
            name: spec.name,
            argv,
            workdir: workdir.as_path().to_path_buf(),
            env,
            size: spec.size.unwrap_or(settings.size),
            policy: spec.policy.unwrap_or(settings.policy),
            replaces: None,
        })
    }

    /// The environment for a program, which it has, or the `path` that was given. Where it is not in the one that is
    /// known, the user may have installed it since.
    async fn environment_with(
        &self,
        program: &str,
        path: Option<&OsString>,
        workdir: &Workdir,
    ) -> Result<Arc<Environment>, Error> {
        let source = &self.settings.env;
        let find = |environment: &Environment| {
            let path = path.map(OsString::as_os_str).or_else(|| environment.path());
            find_program(program, path, workdir.as_path())
        };
        let mut environment = source.get().await;
        let depends = path.is_none() && !program.contains('/');
        if depends && find(&environment).is_err() {
            environment = source.refresh().await;
        }
        match find(&environment) {
            Ok(_) => Ok(environment),
            Err(missing) if depends => {
                Err(Invalid::new(format!("{missing} of {}", environment.origin)).into())
            }
            Err(missing) => Err(missing.into()),
        }
    }

    /// Takes a place for one more session, and its name; makes room where that costs nobody anything.
    async fn reserve(&self, plan: &Plan) -> Result<SessionName, Error> {
        let (name, superfluous) = {
            let mut sessions = self.sessions();
            let name = plan.name.clone().unwrap_or_else(|| new_name(&self.settings.prefix));
            if sessions.find(name.as_str()).is_some() || sessions.reserved.contains(&name) {
                return Err(Error::NameTaken(name));
            }
            let superfluous = sessions.make_room(self.settings.max_sessions, plan.replaces.as_deref())?;
            sessions.reserved.push(name.clone());
            (name, superfluous)
        };
        for entry in superfluous {
            log::info!("session {}: ended to make room", entry.name);
            if let Err(error) = self.end(entry).await {
                log::warn!("could not end a session to make room: {error}");
            }
        }
        Ok(name)
    }

    fn release(&self, name: &SessionName) {
        self.sessions().reserved.retain(|reserved| reserved != name);
    }
}

impl Sessions {
    /// Takes sessions out of the list until there is room for one more: exited ones, then the oldest idle ones. One that
    /// is `replaced` makes room by itself, later.
    fn make_room(&mut self, most: usize, replaced: Option<&str>) -> Result<Vec<Entry>, Error> {
        let stays = |entry: &&Entry| replaced != Some(entry.id.as_str());
        let staying = self.entries.iter().filter(stays).count();
        let mut excess = (staying + self.reserved.len() + 1).saturating_sub(most);
        let mut names = Vec::new();
        let active = self.active.as_deref();
        let exited = self.entries.iter().filter(stays).filter(|entry| entry.is_exited());
        let idle = self
            .entries
            .iter()
            .filter(|entry| entry.is_idle_and_alone() && active != Some(entry.id.as_str()));
        for entry in exited.chain(idle) {
            if excess == 0 {
                break;
            }
            names.push(entry.id.clone());
            excess -= 1;
        }
        if excess > 0 {
            return Err(Error::SessionLimit(most));
        }
        Ok(names.iter().filter_map(|name| self.take(name)).collect())
    }
}

impl Registry {
    /// Starts a session and waits until it is ready; then it is the active one. On failure it is gone again.
    pub(super) async fn start_session(&self, plan: Plan) -> Result<Started, Error> {
        let (name, heard) = self.place_session(plan).await?;
        self.until_ready(&name, heard).await
    }

    /// Starts a session and puts it into the list.
    pub(super) async fn place_session(&self, plan: Plan) -> Result<(SessionName, Heard), Error> {
        let name = self.0.reserve(&plan).await?;
        match self.launch(&plan, &name).await {
            Ok((entry, heard)) => {
                let mut sessions = self.0.sessions();
                sessions.reserved.retain(|reserved| *reserved != name);
                sessions.links.retain(|(id, _)| *id != entry.id);
                sessions.entries.push(entry);
                Ok((name, heard))
            }
            Err(error) => {
                self.0.release(&name);
                Err(error)
            }
        }
    }

    /// Waits until a session is ready; then it is the active one. On failure it is gone.
    pub(super) async fn until_ready(&self, name: &SessionName, heard: Heard) -> Result<Started, Error> {
        match heard.await {
            Ok(Ok(())) => {
                let mut sessions = self.0.sessions();
                let id = sessions.find(name.as_str()).map(|entry| entry.id.clone());
                let before = std::mem::replace(&mut sessions.active, id);
                Ok(Started { name: name.clone(), before })
            }
            Ok(Err(failure)) => {
                self.forget(name).await;
                Err(not_ready(failure))
            }
            // The session was killed while it started, or the daemon stops.
            Err(_) => Err(Error::SessionNotFound(name.to_string())),
        }
    }

    async fn launch(&self, plan: &Plan, name: &SessionName) -> Result<(Entry, Heard), Error> {
        let settings = &self.0.settings;
        let label = Label {
            id: format!("s-{}", uuid::Uuid::now_v7().simple()),
            name: name.clone(),
            agent: plan.profile.name.clone(),
            created: jiff::Timestamp::now().as_second(),
            workdir: plan.workdir.to_string_lossy().into_owned(),
            policy: plan.policy,
        };
        let relay = settings.relay.as_ref();
        let told = launch::prepare(relay, &plan.profile, &plan.argv, &label.id, &plan.workdir, &plan.env);
        let mut env = plan.env.clone();
        env.extend(told.env.into_iter().map(|(key, value)| (key.into(), value.into())));
        env.insert("AGENTMUX_SESSION".into(), name.as_str().into());
        let launch = Launch {
            name: name.clone(),
            window: settings.window.clone(),
            argv: told.argv.iter().map(OsString::from).collect(),
            workdir: plan.workdir.clone(),
            env,
            size: plan.size,
            label: label.clone(),
        };
        self.0.sessions().links.push((label.id.clone(), told.link.clone()));
        let pane = self.0.terminal.spawn(launch).await.map_err(|error| {
            self.0.sessions().links.retain(|(id, _)| *id != label.id);
            self.0.forget_files(&label.id);
            match error {
                TerminalError::NameTaken => Error::NameTaken(name.clone()),
                error => Error::Terminal(error),
            }
        })?;
        log::info!("session {name}: started agent {} in pane {}", plan.profile.name, pane.id);
        let delay = settings.startup_delay.unwrap_or(Duration::ZERO);
        let (start, heard) = Start::new(delay, settings.ready_timeout);
        let answering = Answering::new(settings.accept_trust, plan.argv.clone());
        let begin = Some((start, answering));
        Ok((self.0.open_entry(label, pane, plan.profile.clone(), told.link, begin), heard))
    }

    /// Ends a session that was just started; the one that was active before is active again.
    pub(super) async fn roll_back(&self, started: &Started) {
        self.forget(&started.name).await;
        let mut sessions = self.0.sessions();
        let there = started.before.clone().filter(|id| sessions.find(id).is_some());
        if there.is_some() {
            sessions.active = there;
        }
    }

    async fn forget(&self, name: &SessionName) {
        if let Err(error) = self.kill(name.as_str()).await {
            log::warn!("session {name}: could not be ended: {error}");
        }
    }
}

fn not_ready(failure: StartFailure) -> Error {
    let StartFailure { message, screen, exit } = failure;
    let inherited = "new session did not become ready";
    let message = if message.is_empty() { inherited.to_owned() } else { format!("{inherited}: {message}") };
    Error::NotReady { message, screen, exit }
}

/// A name as inherited: `PREFIX-YYYYmmdd_HHMMSS-xxxxxx`, in local time.
fn new_name(prefix: &ShortName) -> SessionName {
    let now = jiff::ZonedDateTime::now().strftime("%Y%m%d_%H%M%S").to_string();
    let random = uuid::Uuid::now_v7().as_u128() & 0xff_ffff;
    let name = format!("{prefix}-{now}-{random:06x}");
    SessionName::parse(&name).expect("a prefix of 40 and 23 more characters of the allowed ones are a name")
}
