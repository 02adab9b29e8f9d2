//! Where the daemon listens, who may ask it, and what has to be set before other machines can reach it.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use agentmux_http::Secret;

use super::setting::{ALLOW_HOST, ALLOW_REMOTE, HOST, PORT, TOKEN};
use super::source::{Given, Source, Sources};

/// The shortest token for a daemon that other machines can reach.
const SHORTEST_REMOTE: usize = 32;

/// Where the daemon listens and who may ask it.
#[derive(Debug, Clone)]
pub(crate) struct Listen {
    /// The host as it was set.
    pub(crate) host: String,
    /// The address.
    pub(crate) address: SocketAddr,
    /// The source of the host, for an error in using it.
    pub(crate) source: Source,
    pub(crate) token: Token,
    /// Whether other machines may reach it.
    pub(super) allow_remote: bool,
    /// Names under which it may be asked, besides the loopback ones.
    pub(crate) allowed_hosts: Vec<String>,
}

/// What was set as the token. The generated one is accepted in each case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// Only the generated one.
    Generated,
    /// This one too.
    Set(Secret),
    /// Set, and empty: clients on this machine need none.
    Open,
}

pub(super) fn load(sources: &Sources<'_>) -> Listen {
    let host = host(sources);
    let port = u16::try_from(sources.number(&PORT)).expect("the table allows no more");
    let addresses = resolve(&host, port).unwrap_or_else(|why| {
        sources.refuse(
            &host.source,
            format!("{:?} is no address or host name of this machine: {why}", host.value),
        );
        vec![SocketAddr::from(([127, 0, 0, 1], port))]
    });
    let token = token(sources);
    let mut allowed_hosts = allowed_hosts(sources);
    let allow_remote = sources.flag(&ALLOW_REMOTE);
    if let Some(address) = addresses.iter().find(|address| !is_loopback(address.ip())) {
        check_remote(sources, &host, address.ip(), allow_remote, &token, &allowed_hosts);
        let own = addresses.iter().map(|address| address.ip().to_string()).chain([host.value.clone()]);
        allowed_hosts.extend(own.filter(|name| is_host(name)));
    }
    // Python's server, whose place this takes, listened on IPv4.
    let address = addresses.iter().find(|address| address.is_ipv4()).unwrap_or(&addresses[0]);
    Listen {
        address: *address,
        host: host.value,
        source: host.source,
        token: token.value,
        allow_remote,
        allowed_hosts,
    }
}

fn host(sources: &Sources<'_>) -> Given<String> {
    if let Some(given) = sources.variable(&HOST).filter(|given| given.value.trim().is_empty()) {
        // In other programs an empty host means every address of the machine.
        let why = "must be an address or a host name, not empty; unset it for 127.0.0.1";
        sources.refuse(&given.source, why);
    }
    sources.text(&HOST).expect("it has a default")
}

/// All addresses that the host has; at least one.
fn resolve(host: &Given<String>, port: u16) -> Result<Vec<SocketAddr>, String> {
    let bare = host.value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&host.value);
    let addresses = (bare, port).to_socket_addrs().map_err(|error| error.to_string())?;
    let addresses: Vec<_> = addresses.collect();
    if addresses.is_empty() { Err("it has no address".to_owned()) } else { Ok(addresses) }
}

/// True where only this machine can reach it. `::ffff:127.0.0.1` is one of those only in its canonical form.
fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

fn token(sources: &Sources<'_>) -> Given<Token> {
    let generated = |source| Given { value: Token::Generated, source };
    let Some(given) = sources.secret(&TOKEN) else { return generated(Source::Default(TOKEN.name())) };
    let text = given.value.trim();
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        sources.refuse(&given.source, format!("must be {}", TOKEN.kind.allowed()));
        return generated(given.source);
    }
    let value = if text.is_empty() { Token::Open } else { Token::Set(Secret::new(text)) };
    Given { value, source: given.source }
}

fn allowed_hosts(sources: &Sources<'_>) -> Vec<String> {
    let Some(given) = sources.list(&ALLOW_HOST) else { return Vec::new() };
    for name in given.value.iter().filter(|name| !is_host(name)) {
        sources.refuse(&given.source, format!("must be host names without port or wildcard, not {name:?}"));
    }
    given.value
}

/// A name or an address under which a daemon can be asked; the unspecified addresses are none.
fn is_host(name: &str) -> bool {
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    match bare.parse::<IpAddr>() {
        Ok(ip) => !ip.is_unspecified(),
        Err(_) => {
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
            !name.is_empty() && name.bytes().all(is_name)
        }
    }
}

/// Whoever else can reach the daemon can run programs as this user: it has to be meant.
fn check_remote(
    sources: &Sources<'_>,
    host: &Given<String>,
    ip: IpAddr,
    allow_remote: bool,
    token: &Given<Token>,
    allowed_hosts: &[String],
) {
    let needs = |what: String| {
        let why = format!("{:?} can be reached from other machines; {what}", host.value);
        sources.refuse(&host.source, why);
    };
    if !allow_remote {
        needs("that needs AGENTMUX_ALLOW_REMOTE=1".to_owned());
    }
    if ip.to_canonical().is_unspecified() && allowed_hosts.is_empty() {
        needs("a wildcard address needs AGENTMUX_ALLOW_HOST with the names it is asked by".to_owned());
    }
    match &token.value {
        Token::Generated => {}
        Token::Set(secret) if secret.expose().len() >= SHORTEST_REMOTE => {}
        Token::Set(_) => {
            needs(format!("{} must have at least {SHORTEST_REMOTE} characters then", token.source));
        }
        Token::Open => needs(format!("{} must not be empty then", token.source)),
    }
}
