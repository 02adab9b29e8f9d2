//! Bodies: read under a cap and a deadline, then parsed into fields.

mod fields;
mod json;
mod query;

use agentmux_core::input::Invalid;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::StatusCode;
use hyper::body::{Body, Bytes};

use crate::gate;
use crate::limits::BODY_DEADLINE;
use crate::refusal::Refusal;

pub(crate) use self::fields::{Fields, NumberOrText};
pub(crate) use self::query::Query;

/// Reads a body and its JSON object. After a refusal for what came over the wire, the connection is closed:
/// where the next request would begin is not known.
pub(crate) async fn read<B>(body: B, most: u64) -> Result<Fields, Refusal>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let most_bytes = usize::try_from(most).unwrap_or(usize::MAX);
    let collected = Limited::new(body, most_bytes).collect();
    match tokio::time::timeout(BODY_DEADLINE, collected).await {
        Ok(Ok(body)) => parse(&body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(gate::too_large(most)),
        Ok(Err(_)) => Err(Refusal::invalid("the request body is incomplete or malformed").closing()),
        Err(_) => {
            let error = format!("the request body did not arrive within {} s", BODY_DEADLINE.as_secs());
            Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", error).closing())
        }
    }
}

/// The object in a body; nothing means `{}`.
fn parse(body: &[u8]) -> Result<Fields, Refusal> {
    let text = std::str::from_utf8(body).map_err(|_| Refusal::invalid("request body must be utf-8"))?;
    let document = if text.is_empty() { "{}" } else { text };
    match json::parse(document) {
        Some(serde_json::Value::Object(fields)) => Ok(Fields::new(fields)),
        Some(_) => Err(Refusal::invalid("JSON body must be an object")),
        None => Err(Refusal::invalid("invalid JSON body")),
    }
}

/// Refuses the first of these names that is not among the known ones.
fn only<'a>(kind: &str, names: impl Iterator<Item = &'a str>, known: &[&str]) -> Result<(), Invalid> {
    let Some(name) = names.into_iter().find(|name| !known.contains(name)) else {
        return Ok(());
    };
    // It may be as long as a whole body.
    let name: String = name.chars().take(64).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Err(Invalid::new(format!("unknown {kind} {name:?}; known here: {known}")))
}

/// What a word stands for.
fn choose<T: Copy>(name: &str, word: &str, choices: &[(&str, T)]) -> Result<T, Invalid> {
    let known = choices.iter().find(|(known, _)| *known == word);
    known.map(|(_, choice)| *choice).ok_or_else(|| {
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        must_be(name, &format!("one of {}", words.join(", ")))
    })
}

/// A whole number from 1, brought into a range.
fn count(name: &str, text: &str, (least, most): (u64, u64)) -> Result<u64, Invalid> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return Err(must_be(name, "an integer"));
    }
    if text.starts_with('-') || digits.bytes().all(|c| c == b'0') {
        return Err(must_be(name, ">= 1"));
    }
    // Only digits are left: what does not parse is larger than any range.
    Ok(digits.parse().unwrap_or(most).clamp(least, most))
}

fn must_be(name: &str, what: &str) -> Invalid {
    Invalid::new(format!("{name} must be {what}"))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use super::*;
    use http_body_util::{Empty, Full};
    use hyper::body::Frame;

    fn refused(body: &[u8]) -> String {
        parse(body).unwrap_err().failure().error.clone()
    }

    #[test]
    fn what_is_no_json_object_is_refused_in_the_inherited_words() {
        let deep = format!("{{\"a\":{}", "[".repeat(10_000));
        let many: Vec<_> = (0..100_000).map(|i| format!("\"k{i}\":1")).collect();
        let many = format!("{{{}}}", many.join(","));
        for body in [
            "{",
            "nope",
            "{\"a\":NaN}",
            "{\"a\":1}x",
            "{\"a\":1,\"a\":1}",
            "{\"a\":{\"b\":1,\"b\":2}}",
            "{\"a\":1e400}",
            "\u{feff}{}",
            "{\"a\":\"\\ud800\"}",
            " ",
            &deep,
            &many,
        ] {
            assert_eq!(refused(body.as_bytes()), "invalid JSON body", "{:.40}", body);
        }
        for body in ["[]", "\"x\"", "null", "1"] {
            assert_eq!(refused(body.as_bytes()), "JSON body must be an object", "{body}");
        }
        assert_eq!(refused(b"{\"a\":\"\xff\"}"), "request body must be utf-8");
        assert!(parse(b"").is_ok());
        assert!(parse(b" { } \n").is_ok());
    }

    #[tokio::test]
    async fn bodies_above_the_cap_are_too_large_even_in_small_pieces() {
        assert!(read(Empty::new(), 4).await.is_ok());
        let refusal = read(Full::new(Bytes::from_static(b"{    }")), 4).await.unwrap_err();
        assert_eq!(refusal.status(), 413);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_is_given_up() {
        assert_eq!(read(Stalled, 100).await.unwrap_err().status(), 408);
    }

    struct Stalled;

    impl Body for Stalled {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }
}
