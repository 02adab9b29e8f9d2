//! Tokens: who may use the API.

use std::fmt;

use hyper::header::{self, HeaderMap};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::refusal::Refusal;

/// A text that is never shown: not in logs, not in debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that writes it where it belongs.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Who may use the API, and under which names. The default lets nobody in.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Each of these is enough; empty ones never are.
    pub tokens: Vec<Secret>,
    /// Clients on this machine need no token.
    pub open: bool,
    /// Names for the `Host` header besides the loopback ones: no port, no wildcard.
    pub allowed_hosts: Vec<String>,
}

/// The tokens as digests: comparing those takes the same time whatever is wrong, the length included.
#[derive(Debug)]
pub(crate) struct Tokens {
    digests: Vec<[u8; 32]>,
    open: bool,
}

impl Tokens {
    pub(crate) fn new(access: &Access) -> Self {
        let given = access.tokens.iter().filter(|token| !token.expose().is_empty());
        Self { digests: given.map(|token| digest(token.expose().as_bytes())).collect(), open: access.open }
    }

    /// `Authorization: Bearer TOKEN` or `X-Bridge-Token: TOKEN`.
    pub(crate) fn check(&self, headers: &HeaderMap, local: bool) -> Result<(), Refusal> {
        let bearer = single(headers, header::AUTHORIZATION.as_str())?.and_then(bearer_token);
        let bridge = single(headers, "x-bridge-token")?;
        let known = [bearer, bridge].into_iter().flatten().any(|token| self.is_known(token));
        (known || (self.open && local)).then_some(()).ok_or_else(Refusal::forbidden)
    }

    fn is_known(&self, token: &[u8]) -> bool {
        let presented = digest(token);
        self.digests.iter().fold(Choice::from(0), |found, known| found | known.ct_eq(&presented)).into()
    }
}

/// `Authorization: Bearer SECRET` of the session that is meant, which may have none; no other token counts.
pub(crate) fn check_hook(headers: &HeaderMap, secret: Option<Secret>) -> Result<(), Refusal> {
    let access = Access { tokens: secret.into_iter().collect(), ..Access::default() };
    let bearer = single(headers, header::AUTHORIZATION.as_str())?.and_then(bearer_token);
    let known = bearer.is_some_and(|given| Tokens::new(&access).is_known(given));
    known.then_some(()).ok_or_else(Refusal::forbidden)
}

fn digest(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// The value of a header that may come once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a [u8]>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Refusal::invalid(format!("more than one {name} header"))),
        (value, None) => Ok(value.map(|value| value.as_bytes())),
    }
}

/// What follows `Bearer` and blanks, letter case of the scheme ignored.
fn bearer_token(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked("Bearer".len())?;
    let blank = rest.first().is_some_and(|c| matches!(c, b' ' | b'\t'));
    (blank && scheme.eq_ignore_ascii_case(b"Bearer")).then(|| rest.trim_ascii())
}
