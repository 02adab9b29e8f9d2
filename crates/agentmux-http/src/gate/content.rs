//! What the head says about the body: whether we can read it, whether a web page may send it, how long it is.

use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::{StatusCode, Version};

use super::host::is_from_a_page;
use crate::refusal::Refusal;
use crate::routes::Passage;

/// Checks the headers that belong to the body; a route that takes none ignores what is sent.
pub(crate) fn check(head: &Parts, passage: &Passage, length: Option<u64>) -> Result<(), Refusal> {
    let headers = &head.headers;
    transfer(head)?;
    expectation(headers)?;
    let Some(most) = passage.route.body else {
        return Ok(());
    };
    if headers.contains_key("idempotency-key") {
        return Err(Refusal::unsupported("Idempotency-Key is not supported yet; nothing was done"));
    }
    encoding(headers)?;
    if is_from_a_page(headers) && !headers.get(header::CONTENT_TYPE).is_some_and(is_json) {
        return Err(unsupported_type("a web page must send application/json"));
    }
    match length {
        Some(length) if length > most => Err(too_large(most)),
        _ => Ok(()),
    }
}

/// The answer to a body above its route's cap, before or while it is read.
pub(crate) fn too_large(most: u64) -> Refusal {
    let error = format!("the request body is too large: at most {most} bytes are allowed");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", error).closing()
}

/// hyper reads `gzip, chunked` and passes the gzip on, and takes chunks from HTTP/1.0.
fn transfer(head: &Parts) -> Result<(), Refusal> {
    match head.headers.get(header::TRANSFER_ENCODING) {
        None => Ok(()),
        Some(_) if head.version == Version::HTTP_10 => {
            Err(Refusal::invalid("HTTP/1.0 has no Transfer-Encoding").closing())
        }
        Some(coding) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        Some(_) => {
            let error = "the only Transfer-Encoding is chunked";
            Err(Refusal::new(StatusCode::NOT_IMPLEMENTED, "unsupported", error).closing())
        }
    }
}

fn expectation(headers: &HeaderMap) -> Result<(), Refusal> {
    match headers.get(header::EXPECT) {
        Some(value) if !value.as_bytes().eq_ignore_ascii_case(b"100-continue") => {
            let error = "the only Expect is 100-continue";
            Err(Refusal::new(StatusCode::EXPECTATION_FAILED, "unsupported", error).closing())
        }
        _ => Ok(()),
    }
}

fn encoding(headers: &HeaderMap) -> Result<(), Refusal> {
    match headers.get(header::CONTENT_ENCODING) {
        Some(value) if !value.as_bytes().eq_ignore_ascii_case(b"identity") => {
            Err(unsupported_type("compressed bodies are not read"))
        }
        _ => Ok(()),
    }
}

fn unsupported_type(error: &str) -> Refusal {
    Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_type", error)
}

/// `application/json`, with no parameter but `charset=utf-8`: a page cannot send that to another site
/// unasked.
fn is_json(value: &HeaderValue) -> bool {
    let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let mut parts = text.split(';').map(str::trim);
    parts.next() == Some("application/json")
        && parts.all(|parameter| matches!(parameter, "charset=utf-8" | "charset=\"utf-8\""))
}
