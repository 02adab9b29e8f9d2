//! What is made from the definition of the command line: completions for shells, and the manual pages.

use std::path::Path;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::args::{Args, NOTES};
use crate::ending::{Ending, Failed};
use crate::output;

const NAME: &str = "agentmux";

pub(crate) fn completions(shell: Shell) -> Result<Ending, Failed> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut shown(), NAME, &mut script);
    let script = String::from_utf8(script).map_err(|error| Failed::new(error.to_string()))?;
    output::text(script)?;
    Ok(Ending::DONE)
}

/// The command line without its hidden verbs, which the scripts of clap would complete, too.
fn shown() -> Command {
    let all = Args::command();
    let verbs = all.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned();
    Command::new(NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .args(all.get_arguments().cloned())
        .subcommands(verbs)
}

/// Writes `agentmux.1`, `agentmux-run.1`, ... into the folder.
pub(crate) fn manual(folder: &Path) -> Result<Ending, Failed> {
    let failed = |path: &Path, error| Failed::new(format!("could not write {}: {error}", path.display()));
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    for (name, page) in pages() {
        let file = folder.join(name);
        std::fs::write(&file, page).map_err(|error| failed(&file, error))?;
    }
    Ok(Ending::DONE)
}

/// The pages with the names of their files: one of all, and one for each verb that is not hidden.
fn pages() -> Vec<(String, Vec<u8>)> {
    let mut all = Args::command().disable_help_subcommand(true);
    all.build();
    let mut pages = Vec::new();
    let mut commands = vec![all];
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned());
        let name = command.get_display_name().unwrap_or(NAME).to_owned();
        pages.push((format!("{name}.1"), page(command, &name)));
    }
    pages
}

fn page(command: Command, name: &str) -> Vec<u8> {
    let version = format!("{NAME} {}", env!("CARGO_PKG_VERSION"));
    // What the help has below gets headings of its own here.
    let man = Man::new(command.after_help(None)).source(version);
    let mut page = Vec::new();
    man.render(&mut page).expect("a Vec takes all");
    let mut notes = Roff::new();
    for (heading, lines) in NOTES {
        notes.control("SH", [heading.to_uppercase().as_str()]).control("nf", []);
        notes.text([roman(lines)]).control("fi", []);
    }
    if name != NAME {
        notes.control("SH", ["SEE ALSO"]).text([roman(format!("{NAME}(1)"))]);
    }
    page.extend(notes.to_roff().into_bytes());
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verb_that_is_not_hidden_has_a_page() {
        let names: Vec<_> = pages().into_iter().map(|(name, _)| name).collect();
        let mut once = names.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), names.len());
        for verb in Args::command().get_subcommands() {
            let page = format!("agentmux-{}.1", verb.get_name());
            assert_eq!(names.contains(&page), !verb.is_hide_set(), "{page}");
        }
        for page in ["agentmux.1", "agentmux-profile-test.1"] {
            assert!(names.contains(&page.to_owned()), "{names:?}");
        }
    }

    #[test]
    fn pages_tell_the_options_and_the_exit_statuses() {
        let pages = pages();
        let page = |name: &str| {
            let (_, page) = pages.iter().find(|(page, _)| page == name).unwrap();
            String::from_utf8(page.clone()).unwrap()
        };
        assert!(page("agentmux-run.1").starts_with(".ie"), "{}", page("agentmux-run.1"));
        for part in [".TH agentmux-run 1", "\\-\\-workdir", ".SH \"EXIT STATUS\"", "interrupted"] {
            assert!(page("agentmux-run.1").contains(part), "{part}: {}", page("agentmux-run.1"));
        }
        assert!(page("agentmux.1").contains("agentmux\\-run(1)"), "{}", page("agentmux.1"));
    }
}
