//! `Host`, `Origin` and `Sec-Fetch-Site`: a request must be meant for this daemon, and not come from another
//! site's page. This is no access control; it keeps a browser from being used against its user.

use std::net::Ipv6Addr;

use hyper::StatusCode;
use hyper::header::{self, HeaderMap};

use crate::refusal::Refusal;

/// The names of this machine that need no configuration.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The names under which the daemon may be asked; ports do not matter (tunnels change them).
#[derive(Debug)]
pub(crate) struct Hosts(Vec<String>);

/// A host, as in a `Host` header: in lower case, an IPv6 address in brackets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    host: String,
    port: Option<u16>,
}

impl Hosts {
    /// The loopback names and these; an IPv6 address may come without its brackets.
    pub(crate) fn new(allowed: &[String]) -> Self {
        let bracketed = |name: &String| match name.parse::<Ipv6Addr>() {
            Ok(_) => format!("[{}]", name.to_ascii_lowercase()),
            Err(_) => name.to_ascii_lowercase(),
        };
        Self(LOOPBACK.iter().map(|name| (*name).to_owned()).chain(allowed.iter().map(bracketed)).collect())
    }

    /// The one `Host` of a request, if it is one of ours.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<Authority, Refusal> {
        let mut values = headers.get_all(header::HOST).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(Refusal::invalid("exactly one Host header is required").closing());
        };
        let host = value.to_str().ok().and_then(Authority::parse);
        let host = host.ok_or_else(|| Refusal::invalid("the Host header is malformed").closing())?;
        let ours = self.0.contains(&host.host);
        ours.then_some(host).ok_or_else(|| {
            Refusal::new(
                StatusCode::FORBIDDEN,
                "host_not_allowed",
                "the Host header names no host of this daemon",
            )
        })
    }
}

impl Authority {
    /// `name`, `name:port`, `[v6]` or `[v6]:port`; nothing else, no user, no path.
    fn parse(text: &str) -> Option<Self> {
        let (host, rest) = match text.strip_prefix('[') {
            Some(inner) => {
                let end = inner.find(']')?;
                inner[..end].parse::<Ipv6Addr>().ok()?;
                text.split_at(end + 2)
            }
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let is_name = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_');
        if host.is_empty() || !(host.starts_with('[') || host.bytes().all(is_name)) {
            return None;
        }
        Some(Self { host: host.to_ascii_lowercase(), port: parse_port(rest)? })
    }
}

/// The port in `:port`: `None` where that is malformed.
fn parse_port(text: &str) -> Option<Option<u16>> {
    match text.strip_prefix(':') {
        None => text.is_empty().then_some(None),
        Some("") => Some(None),
        Some(digits) if digits.bytes().all(|c| c.is_ascii_digit()) => digits.parse().ok().map(Some),
        Some(_) => None,
    }
}

/// A request of a web page must come from a page of this very host and port. Programs send neither header.
pub(crate) fn same_origin(headers: &HeaderMap, host: &Authority) -> Result<(), Refusal> {
    let own_origin = headers.get_all(header::ORIGIN).iter().all(|value| {
        let origin =
            value.to_str().ok().and_then(|text| text.strip_prefix("http://")).and_then(Authority::parse);
        origin.is_some_and(|origin| origin.host == host.host && is_same_port(origin.port, host.port))
    });
    let once = headers.get_all(header::ORIGIN).iter().count() <= 1;
    let own_site =
        headers.get_all("sec-fetch-site").iter().all(|value| value == "same-origin" || value == "none");
    (own_origin && once && own_site).then_some(()).ok_or_else(|| {
        Refusal::new(
            StatusCode::FORBIDDEN,
            "origin_not_allowed",
            "requests of other sites' pages are refused",
        )
    })
}

fn is_same_port(a: Option<u16>, b: Option<u16>) -> bool {
    a.unwrap_or(80) == b.unwrap_or(80)
}

/// True where a browser says that a page makes the request.
pub(crate) fn is_from_a_page(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site")
}
