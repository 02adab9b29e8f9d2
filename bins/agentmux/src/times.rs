//! Times as people read them. The daemon tells them by RFC 3339, in UTC.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

/// Local time, `YYYY-MM-DD HH:MM:SS`; the text itself where it is no time.
pub(crate) fn local(time: &str) -> String {
    match time.parse::<Timestamp>() {
        Ok(time) => time.to_zoned_datetime(TimeZone::system()).strftime("%F %T").to_string(),
        Err(_) => time.to_owned(),
    }
}

/// A time that is near, in local time: without a date where that is today's.
pub(crate) fn near(time: &str) -> String {
    near_to(&ZonedDateTime::now(), time)
}

fn near_to(now: &ZonedDateTime, time: &str) -> String {
    let Ok(parsed) = time.parse::<Timestamp>() else { return time.to_owned() };
    let then = parsed.to_zoned_datetime(now.time_zone().clone());
    let form = if then.date() == now.date() { "%H:%M" } else { "%F %H:%M" };
    then.strftime(form).to_string()
}

/// How long ago that was; `None` where it is no time that has been.
pub(crate) fn since(time: &str) -> Option<Duration> {
    passed(time.parse().ok()?, Timestamp::now())
}

/// From one to the other.
pub(crate) fn between(from: &str, to: &str) -> Option<Duration> {
    passed(from.parse().ok()?, to.parse().ok()?)
}

fn passed(from: Timestamp, to: Timestamp) -> Option<Duration> {
    Duration::try_from(to.duration_since(from)).ok()
}

/// In its two largest units.
pub(crate) fn span(length: Duration) -> String {
    let seconds = length.as_secs();
    let two = |large, from, small, to| format!("{} {large} {} {small}", seconds / from, seconds % from / to);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => two("min", 60, "s", 1),
        3600..86_400 => two("h", 3600, "min", 60),
        _ => two("d", 86_400, "h", 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_in_two_units() {
        for (seconds, wanted) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min 0 s"),
            (3599, "59 min 59 s"),
            (7384, "2 h 3 min"),
            (200_000, "2 d 7 h"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), wanted);
        }
    }

    #[test]
    fn a_near_time_has_a_date_only_where_it_is_another_day() {
        let now: ZonedDateTime = "2026-11-24T23:00[Europe/Berlin]".parse().unwrap();
        assert_eq!(near_to(&now, "2026-11-24T22:30:00Z"), "23:30");
        assert_eq!(near_to(&now, "2026-11-24T23:30:00Z"), "2026-11-25 00:30");
        assert_eq!(near_to(&now, "soon"), "soon");
    }

    #[test]
    fn what_is_no_length_is_told_apart() {
        assert_eq!(between("2026-11-24T09:00:00Z", "2026-11-24T09:01:00Z"), Some(Duration::from_secs(60)));
        assert_eq!(between("2026-11-24T09:01:00Z", "2026-11-24T09:00:00Z"), None);
        assert_eq!(between("soon", "2026-11-24T09:00:00Z"), None);
    }
}
