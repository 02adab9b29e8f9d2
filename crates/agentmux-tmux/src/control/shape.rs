//! What is the same in each frame of a spinner.

use std::hash::{DefaultHasher, Hasher};

/// The shape of an output: what is left without digits (a clock, a place on the screen) and without characters that are not
/// ASCII (the spinner itself). Two outputs of one shape very likely repaint the same with the same words.
pub(crate) fn shape(bytes: &[u8]) -> u64 {
    let mut shape = DefaultHasher::new();
    bytes
        .iter()
        .filter(|byte| byte.is_ascii() && !byte.is_ascii_digit())
        .for_each(|byte| shape.write_u8(*byte));
    shape.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frames_of_a_spinner_have_one_shape() {
        let frame = |text: &str| shape(text.as_bytes());
        let first = frame("\x1b[3;1H✳ Thinking (9s)\x1b[K");
        assert_eq!(frame("\x1b[3;1H✻ Thinking (10s)\x1b[K"), first);
        for other in
            ["\x1b[3;1H> \x1b[K", "\x1b[3;1H✻ Writing (10s)\x1b[K", "\x1b[3;1H✻ Thinking (10s)\x1b[K\r\n", ""]
        {
            assert_ne!(frame(other), first, "{other:?}");
        }
    }
}
