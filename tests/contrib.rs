//! The service files, the crontab and the submit script: what systemd, launchd and cron would make of them.

mod services;
mod submit;

/// A file of `contrib`.
fn contrib(file: &str) -> String {
    format!("{}/../../contrib/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// Whether this machine has the program; says so where it has not.
pub(crate) fn has(program: &str) -> bool {
    let folders = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"];
    let found = folders.iter().any(|folder| std::path::Path::new(folder).join(program).is_file());
    if !found {
        eprintln!("SKIPPED: {program} is not on this machine");
    }
    found
}
