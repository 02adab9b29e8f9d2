//! The generated token: what a client on this machine, run by the same user, finds in the state folder.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use agentmux_http::Secret;

/// The shortest token that is taken from a file.
const SHORTEST: usize = 32;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Reads the token from its file, which is made with a new token where it is missing.
///
/// # Errors
/// The file cannot be used: no regular file, another user's, or not a token.
pub(crate) fn load(path: &Path) -> io::Result<Secret> {
    if let Some(token) = read(path)? {
        return Ok(token);
    }
    crate::private::replace(path, format!("{}\n", generate()?).as_bytes())?;
    read(path)?.ok_or_else(|| io::Error::from(ErrorKind::NotFound))
}

fn read(path: &Path) -> io::Result<Option<Secret>> {
    let (mut file, wider) = match crate::private::open(path, OpenOptions::new().read(true)) {
        Ok(opened) => opened,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    crate::private::tell(path, wider);
    let mut text = String::new();
    file.by_ref().take(4096).read_to_string(&mut text)?;
    let token = text.strip_suffix('\n').unwrap_or(&text);
    if token.len() < SHORTEST || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let what = "does not hold a token (one line of at least 32 visible ASCII characters)";
        return Err(io::Error::other(format!("{what}; remove it, and a new one is made")));
    }
    Ok(Some(Secret::new(token)))
}

/// `amx_` and 32 random bytes in base64url.
fn generate() -> io::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(format!("amx_{}", base64url(&bytes)))
}

fn base64url(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let number = (0..3).fold(0, |sum, at| sum << 8 | u32::from(group.get(at).copied().unwrap_or(0)));
        let digits = (0..=group.len()).map(|at| ALPHABET[(number >> (18 - 6 * at) & 63) as usize]);
        text.extend(digits.map(char::from));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_is_that_of_the_rfc() {
        for (bytes, text) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")] {
            assert_eq!(base64url(bytes.as_bytes()), text);
        }
        assert_eq!(base64url(&[0xff, 0xfb]), "__s");
    }

    #[test]
    fn a_token_is_made_once_and_then_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let token = load(&path).unwrap();
        assert!(token.expose().starts_with("amx_") && token.expose().len() == 47);
        assert!(load(&path).unwrap() == token);
    }

    #[test]
    fn what_is_not_a_token_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        for content in ["", "short\n", &format!("{}\r\n", "x".repeat(40)), &format!("{}\n\n", "x".repeat(40))]
        {
            std::fs::write(&path, content).unwrap();
            assert!(load(&path).unwrap_err().to_string().contains("does not hold a token"), "{content:?}");
        }
    }
}
