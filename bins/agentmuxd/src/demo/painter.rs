//! Frames become bytes for the terminal: the transcript scrolls away above, the rest is painted in place.

use super::view::Frame;

/// Remembers what stands on the terminal.
#[derive(Debug, Default)]
pub(super) struct Painter {
    painted: Frame,
}

impl Painter {
    /// The bytes that print rows of transcript, and bring the frame below them; none where all is as it was.
    pub(super) fn paint(&mut self, transcript: &[String], frame: Frame) -> String {
        let mut out = self.modes(&frame);
        let same_shape = transcript.is_empty() && frame.rows.len() == self.painted.rows.len();
        if same_shape && frame.rows == self.painted.rows && frame.cursor == self.painted.cursor {
            self.painted = frame;
            return out;
        }
        out += &self.to_top();
        if !same_shape {
            out += "\x1b[J";
        }
        for row in transcript {
            out += &format!("{row}\r\n");
        }
        // Our width of a rare character may differ from the terminal's: a row must not wrap all the same.
        out += "\x1b[?7l";
        for (at, row) in frame.rows.iter().enumerate() {
            out += if at > 0 { "\r\n" } else { "" };
            match same_shape.then(|| &self.painted.rows[at]) {
                Some(old) if old == row => {}
                Some(_) => out += &format!("\x1b[K{row}"),
                None => out += row,
            }
        }
        out += "\x1b[?7h\r";
        out += &move_by('A', frame.rows.len().saturating_sub(1).saturating_sub(frame.cursor.0));
        out += &move_by('C', frame.cursor.1);
        self.painted = frame;
        out
    }

    /// The bytes that remove the frame and leave the transcript.
    pub(super) fn leave(&mut self) -> String {
        let modes = self.modes(&Frame::default());
        let top = self.to_top();
        self.painted = Frame::default();
        format!("{modes}{top}\x1b[J")
    }

    fn to_top(&self) -> String {
        format!("\r{}", move_by('A', self.painted.cursor.0))
    }

    /// Title, announcement and bracketed paste, where they change.
    fn modes(&self, frame: &Frame) -> String {
        let mut out = String::new();
        if frame.title != self.painted.title {
            out += &format!("\x1b]2;{}\x07", frame.title);
        }
        if frame.announced != self.painted.announced && !frame.announced.is_empty() {
            out += &format!("\x1b]7501;{}:app=demo\x1b\\", frame.announced);
        }
        if frame.takes_input != self.painted.takes_input {
            out += if frame.takes_input { "\x1b[?2004h" } else { "\x1b[?2004l" };
        }
        out
    }
}

/// A cursor movement; by nothing, no bytes.
fn move_by(direction: char, count: usize) -> String {
    if count == 0 { String::new() } else { format!("\x1b[{count}{direction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(rows: &[&str], cursor: (usize, usize)) -> Frame {
        Frame { rows: rows.iter().map(|row| (*row).to_owned()).collect(), cursor, ..Frame::default() }
    }

    #[test]
    fn nothing_changed_is_nothing_to_write() {
        let mut painter = Painter::default();
        assert_ne!(painter.paint(&[], frame(&["a", "b"], (0, 1))), "");
        assert_eq!(painter.paint(&[], frame(&["a", "b"], (0, 1))), "");
    }

    #[test]
    fn only_rows_that_changed_are_written() {
        let mut painter = Painter::default();
        painter.paint(&[], frame(&["aa", "bb"], (1, 2)));
        let out = painter.paint(&[], frame(&["aa", "cc"], (1, 2)));
        assert!(out.contains("\x1b[Kcc") && !out.contains("aa"), "{out:?}");
    }

    #[test]
    fn transcript_is_printed_above_the_frame() {
        let mut painter = Painter::default();
        painter.paint(&[], frame(&["box"], (0, 0)));
        let out = painter.paint(&["said".to_owned()], frame(&["box"], (0, 0)));
        assert!(out.starts_with("\r\x1b[Jsaid\r\n\x1b[?7lbox"), "{out:?}");
    }

    #[test]
    fn a_state_is_announced_when_it_changes() {
        let mut painter = Painter::default();
        let at_work = Frame { announced: "state=working", ..frame(&["box"], (0, 0)) };
        assert!(painter.paint(&[], at_work.clone()).contains("\x1b]7501;state=working:app=demo\x1b\\"));
        assert!(!painter.paint(&[], Frame { cursor: (0, 1), ..at_work }).contains("7501"));
    }

    #[test]
    fn modes_are_set_once_and_taken_back() {
        let mut painter = Painter::default();
        let ready = Frame { title: "✳ demo".to_owned(), takes_input: true, ..frame(&["box"], (0, 0)) };
        assert!(painter.paint(&[], ready.clone()).starts_with("\x1b]2;✳ demo\x07\x1b[?2004h"));
        assert_eq!(painter.paint(&[], ready), "");
        assert!(painter.leave().starts_with("\x1b]2;\x07\x1b[?2004l"));
    }
}
