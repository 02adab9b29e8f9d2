//! A prompt out of which an agent takes the paths of files: it attaches the files, and puts a word for each into the text.

use std::borrow::Cow;

use crate::profile::Attachments;

impl Attachments {
    /// The text without the words for files.
    pub(crate) fn without_words<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.word.replace_all(text, " ")
    }

    /// What of a prompt is text, and what of the form in which the agent has it; `None` where the agent has taken nothing
    /// out, or another number of paths than it has put words in.
    ///
    /// Not all that looks like a path is taken out: a file may not be there. Those that still stand where they stood, letters
    /// and digits compared, are text.
    pub(crate) fn text_of(&self, sent: &str, shown: &str) -> Option<(String, String)> {
        let words = |text: &str| self.word.find_iter(text).count();
        let put_in = words(shown).checked_sub(words(sent)).filter(|put_in| *put_in > 0)?;
        let (sent, shown) = (self.without_words(sent), self.without_words(shown).into_owned());
        let paths: Vec<_> = self.path.find_iter(&sent).collect();
        let kept_ones = paths.len().checked_sub(put_in)?;
        let (standing, mut before, mut kept) = (letters(&shown), 0, 0);
        let (mut text, mut end) = (String::new(), 0);
        for path in paths {
            let between = &sent[end..path.start()];
            let own = letters(path.as_str());
            before += letters(between).len();
            text += between;
            if kept_ones > 0 && standing.get(before..).is_some_and(|rest| rest.starts_with(&own)) {
                before += own.len();
                text += path.as_str();
                kept += 1;
            } else {
                text.push(' ');
            }
            end = path.end();
        }
        text += &sent[end..];
        (kept == kept_ones).then_some((text, shown))
    }
}

fn letters(text: &str) -> Vec<char> {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use crate::profile::Definitions;

    #[test]
    fn as_many_paths_are_taken_out_as_words_are_put_in() {
        let profile = Definitions::builtin().profile("claude").unwrap();
        let attachments = profile.attachments.as_ref().unwrap();
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        for (sent, shown, text) in [
            ("look\n/w/a.png\nat it", "[Image #1]look\nat it", Some("look at it")),
            ("look\n/w/a.png\n/w/B.JPEG\nat it", "[Image #3] [Image #4]look\nat it", Some("look at it")),
            (
                "'/w/c d.png'\n\"/w/c d.gif\"\n/w/c\\ d.webp\nx",
                "[Image #1] [Image #2] [Image #3]x",
                Some("x"),
            ),
            ("/w/a.png", "[Image #10]", Some("")),
            ("one\ntwo\n/w/a.png\nend", "one[Image #1]two\nend", Some("one two end")),
            // One that is not there, one that is named in the text, and one that is both.
            ("/w/none.png\n/w/a.png\nx", "[Image #1]/w/none.png\nx", Some("/w/none.png x")),
            ("/w/a.png\nwhat of /w/a.png\n", "[Image #1]what of /w/a.png", Some("what of /w/a.png")),
            ("/w/a.png\n/w/a.png is it", "[Image #1]/w/a.png is it", Some("/w/a.png is it")),
            // At the end of a piece.
            ("a long text /w/a.png", "a long text[Image #1]", Some("a long text")),
            ("see /etc/x and /w/a.png", "see /etc/x and[Image #1]", Some("see /etc/x and")),
            // The prompt's own.
            ("of [Image #1]\n/w/a.png", "[Image #2]of [Image #1]", Some("of")),
            ("of [Image #1]", "of [Image #1]", None),
            ("[Image #1] of\n/w/a.png", "[Image #1] of\n/w/a.png", None),
            // Too few, and too many.
            ("/w/a.png\n/w/b.png\nx", "[Image #1]x", None),
            ("/w/a.png\nx", "[Image #1] [Image #2]x", None),
            ("x", "[Image #1]x", None),
            ("a.txt\n/w/a.txt\nx", "[Image #1]x", None),
        ] {
            let found = attachments.text_of(sent, shown);
            assert_eq!(found.as_ref().map(|(left, _)| words(left)).as_deref(), text, "{sent:?} {shown:?}");
            if let Some((left, shown)) = found {
                assert_eq!(words(&left), words(&shown));
            }
        }
    }
}
