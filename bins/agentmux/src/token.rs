//! The verb `token`.

use std::io::IsTerminal;

use serde::Serialize;

use crate::ending::{Ending, Failed};
use crate::{daemon, output};

#[derive(Debug, Serialize)]
struct Shown {
    token: String,
    from: String,
}

/// Prints the token alone, for scripts; a person is told where it is from.
pub(crate) fn show(json: bool) -> Result<Ending, Failed> {
    let (token, from) = daemon::own_token(|name| std::env::var(name).ok())?;
    if !json && std::io::stdout().is_terminal() {
        output::complain(&format!("from {from}:"));
    }
    let shown = Shown { token, from };
    output::told(json, &shown, || shown.token.as_str())
}
