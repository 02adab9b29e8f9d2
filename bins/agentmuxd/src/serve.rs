//! The daemon's life: claim the state folder, connect to tmux, take over sessions, listen, serve, end.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agentmux_api::local::DaemonFile;
use agentmux_core::command::find_program;
use agentmux_core::input::Invalid;
use agentmux_core::registry::{Registry, Settings};
use agentmux_core::signals::Relay;
use agentmux_http::{Access, Server};
use agentmux_tmux::{ConnectError, Tmux};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;

use crate::config::{Config, Listen, Token};
use crate::failure::Failure;
use crate::instance::Instance;
use crate::signals::Signals;
use crate::{agent_env, logging, private, token};

/// The tmux server keeps a file open for each pane, and has the limit that it was started with. macOS allows
/// no more than this.
const OPEN_FILES: u64 = 10_240;

/// Runs the daemon until it is asked to end.
pub(crate) fn run(config: Config) -> Result<(), Failure> {
    let folder = config.state.path();
    let unusable =
        |source| Failure::File { what: "state folder (AGENTMUX_STATE_DIR)", path: folder.to_owned(), source };
    let wider = private::own_folder(folder).map_err(unusable)?;
    let instance = Instance::claim(&config.state)?;
    logging::start(&config.log_file, &config.log_filter)?;
    private::tell(folder, wider);
    narrow(&config)?;
    config.warnings.iter().for_each(|warning| log::warn!("{warning}"));
    raise_open_files();

    // All it does is wait, read and write, in less than half a core at its busiest. One thread answers a lone client as
    // fast as two do, and takes 2 MB less: an allocator keeps an arena for each thread (docs/performance.md).
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Failure::System { what: "start the runtime", source })?;
    let ended = runtime.block_on(live(config, instance));
    // Tasks that are still there were told to end at once.
    runtime.shutdown_background();
    ended
}

/// Sees that what is in the state folder, and a configuration file with secrets in it, is this user's alone.
fn narrow(config: &Config) -> Result<(), Failure> {
    for folder in [config.state.launch(), config.state.sessions()].iter().filter(|folder| folder.is_dir()) {
        let unusable = |source| Failure::File { what: "folder of the daemon", path: folder.clone(), source };
        private::tell(folder, private::own_folder(folder).map_err(unusable)?);
    }
    if let Some(file) = config.file.as_ref().filter(|_| config.has_secrets) {
        match private::open(file, OpenOptions::new().read(true)) {
            Ok((_, wider)) => private::tell(file, wider),
            // It is kept elsewhere, behind a link, or by somebody else: its mode is their business.
            Err(error) => log::info!("{} has secrets in it, and {error}", file.display()),
        }
    }
    Ok(())
}

async fn live(config: Config, mut instance: Instance) -> Result<(), Failure> {
    let signals =
        Signals::listen().map_err(|source| Failure::System { what: "listen for signals", source })?;
    let access = access(&config)?;
    let program =
        std::env::current_exe().map_err(|source| Failure::System { what: "find this program", source })?;
    let tmux = connect(&config, &program).await?;
    let socket = tmux.socket().to_owned();
    let listener = bind(&config.listen).await?;

    let environment = agent_env::source(config.login_env, &program, &config.home);
    let relay = Relay { program, sessions: config.state.sessions(), daemon: config.state.daemon() };
    let settings = Settings { env: environment.clone(), relay: Some(relay), ..config.sessions };
    let registry = Registry::new(Arc::new(tmux), config.profiles, settings);
    let adopted = registry.adopt().await;
    let adopted =
        adopted.map_err(|e| Failure::Unavailable(format!("could not take over running sessions: {e}")))?;

    announce(&mut instance, &listener, &config.listen, socket)?;
    log::info!("agentmuxd {} listens; sessions taken over: {adopted}", env!("CARGO_PKG_VERSION"));
    let server = Server::new(registry.clone(), access);
    server.serve(listener, signals.clone().asked(1), signals.clone().asked(2)).await;
    environment.end().await;
    tokio::select! {
        () = registry.stop() => log::info!("ended"),
        () = signals.asked(2) => log::warn!("ended at once"),
    }
    Ok(())
}

/// Whom the API lets in.
fn access(config: &Config) -> Result<Access, Failure> {
    let path = config.state.token();
    let generated = token::load(&path);
    let generated = generated.map_err(|source| Failure::File { what: "token file", path, source })?;
    let listen = &config.listen;
    let set = match &listen.token {
        Token::Set(token) => Some(token.clone()),
        Token::Generated | Token::Open => None,
    };
    Ok(Access {
        tokens: set.into_iter().chain([generated]).collect(),
        open: listen.token == Token::Open,
        allowed_hosts: listen.allowed_hosts.clone(),
    })
}

async fn connect(config: &Config, program: &Path) -> Result<Tmux, Failure> {
    let tmux = tmux_config(config, program);
    let tmux = tmux.map_err(|why| Failure::Unavailable(format!("tmux is needed, and not there: {why}")))?;
    Tmux::connect(tmux).await.map_err(|error| match error {
        ConnectError::LaunchDir { path, source } => {
            Failure::File { what: "folder for launch files", path, source }
        }
        _ => Failure::Unavailable(format!("tmux cannot be used: {error}")),
    })
}

/// How the daemon uses tmux; `program` is the daemon's own.
pub(crate) fn tmux_config(config: &Config, program: &Path) -> Result<agentmux_tmux::Config, Invalid> {
    let path = agent_env::path_with_usual(std::env::var_os("PATH").as_deref(), &config.home);
    let own = config.state.tmux_socket();
    let socket = config.tmux_socket.clone().unwrap_or_else(|| own.clone());
    Ok(agentmux_tmux::Config {
        tmux: find_program("tmux", Some(&path), Path::new("/"))?,
        owned: socket == own,
        transport: config.tmux_transport,
        socket,
        owner: config.state.path().to_string_lossy().into_owned(),
        launcher: vec![program.into(), "launch".into()],
        launch_dir: config.state.launch(),
    })
}

async fn bind(listen: &Listen) -> Result<TcpListener, Failure> {
    TcpListener::bind(listen.address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => Failure::Unavailable(format!(
            "{} is in use by another program; end that, or set AGENTMUX_PORT",
            listen.address
        )),
        _ => listen.source.refuse(format!("{} cannot be listened on: {error}", listen.address)).into(),
    })
}

/// Tells clients (by `daemon.json`) and whoever started the daemon (by one line on stdout) where it listens.
fn announce(
    instance: &mut Instance,
    listener: &TcpListener,
    listen: &Listen,
    tmux_socket: PathBuf,
) -> Result<(), Failure> {
    let address =
        listener.local_addr().map_err(|source| Failure::System { what: "ask for the port", source })?;
    let file = DaemonFile {
        pid: std::process::id(),
        url: format!("http://{}", reachable(address)),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        tmux_socket,
    };
    instance.announce(&file).map_err(|source| Failure::System { what: "write daemon.json", source })?;
    let host = serde_json::Value::from(listen.host.as_str());
    let line = format!(
        r#"{{"ok": true, "message": "bridge started (multi-session)", "host": {host}, "port": {}}}"#,
        address.port()
    );
    // The daemon runs also where nobody reads that.
    let _ = writeln!(io::stdout(), "{line}");
    Ok(())
}

/// The address by which this machine reaches what listens there.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, address.port())
}

fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(OPEN_FILES, |most| most.min(OPEN_FILES));
    if current.is_some_and(|current| current < wanted)
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })
    {
        log::warn!("could not raise the number of open files to {wanted}: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_reached_by_loopback() {
        for (bound, wanted) in
            [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:2", "[::1]:2"), ("192.0.2.1:3", "192.0.2.1:3")]
        {
            assert_eq!(reachable(bound.parse().unwrap()).to_string(), wanted);
        }
    }
}
