//! The configuration file: which one is read, and what of it nobody knows.

use std::path::Path;

use agentmux_core::config_file::{ConfigFile, ConfigFileError, Format};

use super::setting::{ALLOW_CWD_CONFIG, CONFIG_FILE, TABLE};
use super::source::Sources;

/// Finds and reads the file; `None` where there is none.
pub(super) fn load(sources: &Sources<'_>) -> Option<ConfigFile> {
    let found = find(sources);
    found.unwrap_or_else(|error| {
        sources.fault(error.to_string());
        None
    })
}

fn find(sources: &Sources<'_>) -> Result<Option<ConfigFile>, ConfigFileError> {
    if let Some(named) = sources.path(&CONFIG_FILE) {
        let file = ConfigFile::read(&named.value)?;
        if file.is_none() {
            sources.refuse(&named.source, format!("names {}, which does not exist", named.value.display()));
        }
        return Ok(file);
    }
    if let Some(file) = ConfigFile::usual(sources.home)? {
        return Ok(Some(file));
    }
    // Whoever can write into the current folder could set what is run: only where the user wants that.
    if sources.flag(&ALLOW_CWD_CONFIG) { ConfigFile::read(Path::new("agentmux.json")) } else { Ok(None) }
}

/// Unknown keys are refused in TOML. In JSON they are only told: the original passed over them.
pub(super) fn check_keys(sources: &Sources<'_>, warnings: &mut Vec<String>) {
    let Some(file) = &sources.file else { return };
    let known: Vec<_> = TABLE.iter().filter_map(|setting| setting.key).collect();
    for (key, entry) in file.entries().filter(|(key, _)| !known.contains(key)) {
        let place = entry.key_at.map(|place| format!(":{place}")).unwrap_or_default();
        let meant = match nearest(key, &known) {
            Some(nearest) => format!("did you mean {nearest:?}?"),
            None => format!("known are {}", known.join(", ")),
        };
        let sentence = format!("{}{place} has the unknown key {key:?}; {meant}", file.path.display());
        match file.format {
            Format::Toml => sources.fault(sentence),
            Format::Json => warnings.push(sentence),
        }
    }
}

/// The name that was meant, perhaps: no more than a third of it is otherwise.
fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let best = known.iter().copied().min_by_key(|name| strsim::osa_distance(key, name))?;
    (strsim::osa_distance(key, best) <= best.len() / 3).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let known: Vec<_> = TABLE.iter().filter_map(|setting| setting.key).collect();
        for (key, wanted) in [
            ("prot", Some("port")),
            ("max_session", Some("max_sessions")),
            ("log_level", None),
            ("startup-delay", Some("startup_delay")),
            ("agnets", Some("agents")),
            ("zzz", None),
        ] {
            assert_eq!(nearest(key, &known), wanted, "{key}");
        }
    }
}
