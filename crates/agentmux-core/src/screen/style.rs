//! How characters are shown: SGR attributes and colours, read from escape sequences and written again.
//!
//! What is written is made from values, never copied: no other escape sequence can come through.

use std::fmt::Write;

/// How a character is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Style {
    /// A bit for each of the codes 1 to 9: bold, faint, italic, underlined, blinking (2), inverse, hidden, struck out.
    attributes: u16,
    foreground: Colour,
    background: Colour,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Colour {
    #[default]
    Default,
    /// One of the sixteen with codes of their own, by that code.
    Basic(u8),
    Indexed(u8),
    Rgb(u8, u8, u8),
}

impl Style {
    pub(super) fn is_faint(self) -> bool {
        self.has(2)
    }

    pub(super) fn is_inverse(self) -> bool {
        self.has(7)
    }

    pub(super) fn has_background_of(self, other: Self) -> bool {
        self.background == other.background
    }

    fn has(self, code: u16) -> bool {
        self.attributes & (1 << code) != 0
    }

    fn clear(&mut self, codes: &[u16]) {
        codes.iter().for_each(|code| self.attributes &= !(1 << code));
    }

    /// Changes it as an SGR sequence with these parameters says. Underline colours and styles are dropped.
    pub(super) fn apply(&mut self, parameters: &str) {
        let mut codes = parameters.split(';');
        while let Some(code) = codes.next() {
            let (code, own) = code.split_once(':').unwrap_or((code, ""));
            match code.parse().unwrap_or(0_u8) {
                0 => *self = Self::default(),
                // `4:0` is no underline.
                4 if own == "0" => self.clear(&[4]),
                code @ 1..=9 => self.attributes |= 1 << code,
                21 => self.attributes |= 1 << 4,
                22 => self.clear(&[1, 2]),
                25 => self.clear(&[5, 6]),
                code @ (23 | 24 | 27..=29) => self.clear(&[u16::from(code) - 20]),
                code @ (30..=37 | 90..=97) => self.foreground = Colour::Basic(code),
                code @ (40..=47 | 100..=107) => self.background = Colour::Basic(code),
                39 => self.foreground = Colour::Default,
                49 => self.background = Colour::Default,
                // An extended colour's own parameters are not attributes.
                code @ (38 | 48 | 58) => {
                    let colour = if own.is_empty() { following(&mut codes) } else { colon(own) };
                    match (code, colour) {
                        (38, Some(colour)) => self.foreground = colour,
                        (48, Some(colour)) => self.background = colour,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }

    /// The sequence that sets it, whatever was set before.
    pub(super) fn write(self, to: &mut String) {
        to.push_str("\u{1b}[0");
        for code in (1..=9).filter(|code| self.has(*code)) {
            push(to, format_args!(";{code}"));
        }
        for (colour, extended) in [(self.foreground, 38), (self.background, 48)] {
            match colour {
                Colour::Default => {}
                Colour::Basic(code) => push(to, format_args!(";{code}")),
                Colour::Indexed(index) => push(to, format_args!(";{extended};5;{index}")),
                Colour::Rgb(red, green, blue) => {
                    push(to, format_args!(";{extended};2;{red};{green};{blue}"));
                }
            }
        }
        to.push('m');
    }
}

fn push(to: &mut String, text: std::fmt::Arguments<'_>) {
    to.write_fmt(text).expect("a string takes all that is written");
}

/// The colour in the parameters behind 38 or 48: `5;N` or `2;R;G;B`.
fn following<'a>(codes: &mut impl Iterator<Item = &'a str>) -> Option<Colour> {
    let mut number = || codes.next().map(|code| code.parse().unwrap_or(0));
    match number()? {
        5 => Some(Colour::Indexed(number()?)),
        2 => Some(Colour::Rgb(number()?, number()?, number()?)),
        _ => None,
    }
}

/// The same with colons: `5:N`, `2:R:G:B` or, with a colour space, `2:S:R:G:B`.
fn colon(own: &str) -> Option<Colour> {
    let numbers: Vec<u8> = own.split(':').map(|number| number.parse().unwrap_or(0)).collect();
    match numbers[..] {
        [5, index, ..] => Some(Colour::Indexed(index)),
        [2, red, green, blue] | [2, _, red, green, blue, ..] => Some(Colour::Rgb(red, green, blue)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(sequences: &[&str]) -> String {
        let mut style = Style::default();
        sequences.iter().for_each(|parameters| style.apply(parameters));
        let mut text = String::new();
        style.write(&mut text);
        text.replace('\u{1b}', "ESC")
    }

    #[test]
    fn what_was_read_is_written() {
        for (sequences, text) in [
            (&["1;31"][..], "ESC[0;1;31m"),
            (&["38;5;2", "48;2;1;2;3"], "ESC[0;38;5;2;48;2;1;2;3m"),
            (&["38:5:2;2"], "ESC[0;2;38;5;2m"),
            (&["38:2::1:2:3", "48:2:4:5:6"], "ESC[0;38;2;1;2;3;48;2;4;5;6m"),
            (&["58;5;2;4:3"], "ESC[0;4m"),
            (&["97;101", "39"], "ESC[0;101m"),
            (&["1;2;3;4;5;7;8;9", "22", "24;25"], "ESC[0;3;7;8;9m"),
            (&["1;31", ""], "ESC[0m"),
            (&["38", "999;x;?25"], "ESC[0m"),
        ] {
            assert_eq!(written(sequences), text, "{sequences:?}");
        }
    }
}
