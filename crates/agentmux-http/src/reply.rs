//! An answer before it goes out: a status, a JSON document, and the headers that every answer has.

use http_body_util::{Either, Full};
use hyper::body::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: StatusCode,
    document: Bytes,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    /// 200 with this document.
    pub(crate) fn ok(document: &impl Serialize) -> Self {
        Self::new(StatusCode::OK, document)
    }

    /// This status with this document.
    pub(crate) fn new(status: StatusCode, document: &impl Serialize) -> Self {
        let document =
            serde_json::to_vec(document).expect("wire types have text keys and no failing serializer");
        Self { status, document: document.into(), headers: Vec::new() }
    }

    /// The same answer with one more header.
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The answer as hyper sends it, `S` being what other answers stream. Nothing here lets another origin read
    /// it: there is no `Access-Control` header.
    pub(crate) fn into_response<S>(self) -> Response<Either<Full<Bytes>, S>> {
        let length = HeaderValue::from(self.document.len());
        let mut response = Response::new(Either::Left(Full::new(self.document)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        headers.insert(header::CONTENT_LENGTH, length);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.extend(self.headers);
        response
    }
}

/// The value of a `Location` header: a path, and a name or an id behind it.
pub(crate) fn location(path: &str, key: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("{path}{key}")).expect("names and ids are letters, digits, _ and -")
}
