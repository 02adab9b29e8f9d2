//! Ctrl-C: the daemon goes on with what it was asked, whether or not somebody waits for the answer; it is said where to
//! find that.

use crate::ending::Failed;

/// What `work` comes to, unless the user interrupts first: then that is said by the sentence.
///
/// `work` comes first: one that is interrupted within it can say more. And until `work` waits for something, such as while it
/// reads a prompt from stdin, the signal simply ends this process.
pub(crate) async fn unless_interrupted<T>(
    work: impl Future<Output = Result<T, Failed>>,
    sentence: impl FnOnce() -> String,
) -> Result<T, Failed> {
    tokio::select! {
        biased;
        done = work => done,
        Ok(()) = tokio::signal::ctrl_c() => Err(Failed::interrupted(sentence())),
    }
}
