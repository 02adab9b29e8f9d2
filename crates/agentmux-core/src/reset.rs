//! When a usage limit ends, from the words in which an agent says so.
//!
//! Agents say it in their own ways: `3pm (Europe/Berlin)`, `Nov 26th, 2026 5:30 PM`, `2 days 17 hours 14 minutes`,
//! `April 20, 2026 at 2:00 AM`, a number of seconds since 1970. What cannot be true is no time at all.

use std::sync::LazyLock;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan, ZonedDateTime};
use regex::{Captures, Regex};

/// No limit of an agent lasts longer: a time beyond that was misread.
const LONGEST_DAYS: i64 = 62;

/// A clock time that has just gone by is now: agents cut off the seconds.
const JUST_NOW: i64 = 120;

/// Whether the words have just appeared, or stood there before anybody looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// They have just appeared: a time of the day is the next one.
    New,
    /// They may be old: a time of the day is the nearest one, before or after.
    Old,
}

/// The time that `text` means, read at the moment and in the time zone of `now`; `None` where it means none.
///
/// ```
/// use agentmux_core::reset::{Sight, parse};
///
/// let now = "2026-11-25T12:00[Europe/Berlin]".parse()?;
/// let resets = parse("3pm (Europe/Berlin)", &now, Sight::New);
/// assert_eq!(resets, Some("2026-11-25T14:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn parse(text: &str, now: &ZonedDateTime, sight: Sight) -> Option<Timestamp> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let at = now.timestamp();
    let found = epoch(&text)
        .or_else(|| instant(&text))
        .or_else(|| at.checked_add(duration(&text)?).ok())
        .or_else(|| clock(&text, now, sight))?;
    let most = LONGEST_DAYS * 24 * 3600;
    (found.as_second().abs_diff(at.as_second()) <= most.unsigned_abs()).then_some(found)
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is constant and tested")
}

/// Seconds or milliseconds since 1970.
fn epoch(text: &str) -> Option<Timestamp> {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\d{10}(\d{3})?$"));
    let milliseconds = NUMBER.captures(text)?.get(1).is_some();
    let number: i64 = text.parse().ok()?;
    if milliseconds { Timestamp::from_millisecond(number).ok() } else { Timestamp::from_second(number).ok() }
}

/// RFC 3339.
fn instant(text: &str) -> Option<Timestamp> {
    text.to_uppercase().parse().ok()
}

/// `in 3 hours 20 minutes`, `2h 5m`, `15.5s`, `about an hour`.
fn duration(text: &str) -> Option<Span> {
    const UNIT: &str = r"(\d+(?:\.\d+)?\s*|\ban? )(days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)";
    static WHOLE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(&format!(r"^(?:in )?(?:about |less than |~)?((?:{UNIT}(?:,? and |, ?| )?)+)(?:[^\w:]|$)"))
    });
    static PART: LazyLock<Regex> = LazyLock::new(|| pattern(UNIT));
    let whole = WHOLE.captures(text)?.get(1)?.as_str().to_owned();
    let seconds: f64 = PART.captures_iter(&whole).map(|part| seconds(&part)).sum::<Option<f64>>()?;
    // Rounded up: an attempt that is early by less than a second bounces all the same.
    #[expect(clippy::cast_possible_truncation, reason = "a float is cut to the range; parse checks it")]
    Span::new().try_seconds(seconds.ceil() as i64).ok()
}

fn seconds(part: &Captures<'_>) -> Option<f64> {
    let number = if part[1].starts_with('a') { 1.0 } else { part[1].trim().parse::<f64>().ok()? };
    let unit = match part[2].chars().next()? {
        'd' => 86_400.0,
        'h' => 3600.0,
        'm' => 60.0,
        _ => 1.0,
    };
    Some(number * unit)
}

/// What was said cannot be.
struct Impossible;

/// A time of the day, a date, or both, in a time zone where one is named.
fn clock(text: &str, now: &ZonedDateTime, sight: Sight) -> Option<Timestamp> {
    let now = now.with_time_zone(zone(text, now)?);
    let (date, time) = (date(text, &now).ok()?, time(text).ok()?);
    match (date, time) {
        (None, None) => None,
        (Some(date), time) => on(date, time.unwrap_or(Time::midnight()), &now),
        (None, Some(time)) => of_the_day(time, &now, sight),
    }
}

/// The moments of that clock time: two in the night in which the clock is set back; one that is skipped is the hour after.
fn moments(date: Date, time: Time, zone: &TimeZone) -> impl Iterator<Item = Timestamp> {
    let at = zone.to_ambiguous_timestamp(date.to_datetime(time));
    [at.compatible().ok(), at.later().ok()].into_iter().flatten()
}

fn on(date: Date, time: Time, now: &ZonedDateTime) -> Option<Timestamp> {
    Some(date.to_datetime(time).to_zoned_datetime(now.time_zone().clone()).ok()?.timestamp())
}

/// The zone in brackets, `UTC` or `GMT`; without one, that of `now`. `None` where nobody knows it.
fn zone(text: &str, now: &ZonedDateTime) -> Option<TimeZone> {
    static BRACKETS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\(([a-z0-9_+\-]+(?:/[a-z0-9_+\-]+)*)\)"));
    static UTC: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(?:utc|gmt)\b"));
    if let Some(named) = BRACKETS.captures(text) {
        return TimeZone::get(&named[1]).ok();
    }
    Some(if UTC.is_match(text) { TimeZone::UTC } else { now.time_zone().clone() })
}

fn time(text: &str) -> Result<Option<Time>, Impossible> {
    static HALVES: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"\b(\d{1,2})(?::(\d{2}))?(?::\d{2})? ?([ap])\.?m\b"));
    static FULL: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(\d{1,2}):(\d{2})\b"));
    let number = |found: &Captures<'_>, at| found.get(at).map_or(Ok(0), |text| text.as_str().parse::<i8>());
    let (hour, minute) = if let Some(found) = HALVES.captures(text) {
        let hour = number(&found, 1).ok().filter(|hour| (1..=12).contains(hour)).ok_or(Impossible)? % 12;
        (if &found[3] == "p" { hour + 12 } else { hour }, number(&found, 2))
    } else if let Some(found) = FULL.captures(text) {
        (number(&found, 1).map_err(|_| Impossible)?, number(&found, 2))
    } else {
        let words = [("midnight", 0), ("noon", 12)];
        let Some((_, hour)) = words.iter().find(|(word, _)| text.contains(word)) else { return Ok(None) };
        (*hour, Ok(0))
    };
    Time::new(hour, minute.map_err(|_| Impossible)?, 0, 0).map(Some).map_err(|_| Impossible)
}

fn date(text: &str, now: &ZonedDateTime) -> Result<Option<Date>, Impossible> {
    const MONTH: &str = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?";
    static ISO: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(\d{4})-(\d{2})-(\d{2})"));
    static MONTH_DAY: LazyLock<Regex> =
        LazyLock::new(|| pattern(&format!(r"\b{MONTH} (\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (\d{{4}})\b)?")));
    static DAY_MONTH: LazyLock<Regex> =
        LazyLock::new(|| pattern(&format!(r"\b(\d{{1,2}})(?:st|nd|rd|th)? {MONTH}(?:,? (\d{{4}})\b)?")));
    if let Some(found) = ISO.captures(text) {
        let part = |at: usize| found[at].parse::<i16>().map_err(|_| Impossible);
        return day(part(1)?, &part(2)?.to_string(), &found[3]).map(Some);
    }
    let (month, number, year) = if let Some(found) = MONTH_DAY.captures(text) {
        (found[1].to_owned(), found[2].to_owned(), found.get(3).map(|year| year.as_str().to_owned()))
    } else if let Some(found) = DAY_MONTH.captures(text) {
        (found[2].to_owned(), found[1].to_owned(), found.get(3).map(|year| year.as_str().to_owned()))
    } else {
        return Ok(text.contains("tomorrow").then(|| now.date().tomorrow().ok()).flatten());
    };
    match year {
        Some(year) => day(year.parse().map_err(|_| Impossible)?, &month, &number).map(Some),
        None => nearest_year(&month, &number, now).map(Some),
    }
}

/// A day of the year in which it is nearest: in December, January is the next one.
fn nearest_year(month: &str, number: &str, now: &ZonedDateTime) -> Result<Date, Impossible> {
    let years = [now.year(), now.year() + 1, now.year() - 1];
    let days = years.into_iter().filter_map(|year| day(year, month, number).ok());
    let distance = |day: &Date| day.duration_since(now.date()).abs();
    days.min_by_key(distance).ok_or(Impossible)
}

fn day(year: i16, month: &str, number: &str) -> Result<Date, Impossible> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let by_name = MONTHS.iter().zip(1..).find(|(name, _)| **name == month).map(|(_, number)| number);
    let month = by_name.or_else(|| month.parse::<i8>().ok()).ok_or(Impossible)?;
    Date::new(year, month, number.parse().map_err(|_| Impossible)?).map_err(|_| Impossible)
}

/// A time of the day without a date.
fn of_the_day(time: Time, now: &ZonedDateTime, sight: Sight) -> Option<Timestamp> {
    let dates = |days: &[i64]| {
        let dates: Vec<_> = days.iter().filter_map(|days| now.date().checked_add(days.days()).ok()).collect();
        dates.into_iter().flat_map(|date| moments(date, time, now.time_zone()))
    };
    let since = |found: &Timestamp| found.as_second() - now.timestamp().as_second();
    match sight {
        Sight::New => dates(&[0, 1]).find(|found| since(found) >= -JUST_NOW),
        Sight::Old => dates(&[-1, 0, 1]).min_by_key(|found| since(found).abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is meant on a Wednesday in Berlin, shortly before one in the afternoon: in UTC, as text.
    fn meant(text: &str, sight: Sight) -> String {
        let now = "2026-11-25T12:50:30[Europe/Berlin]".parse().unwrap();
        parse(text, &now, sight).map_or("unknown".into(), |found| found.to_string())
    }

    #[test]
    fn each_agent_s_way_of_saying_it_is_understood() {
        for (text, expected) in [
            // Claude Code
            ("3pm (Europe/Berlin)", "2026-11-25T14:00:00Z"),
            ("2:31am (Europe/Berlin)", "2026-11-26T01:31:00Z"),
            ("2:30pm (Pacific/Auckland)", "2026-11-26T01:30:00Z"),
            ("1pm (Etc/GMT+5)", "2026-11-25T18:00:00Z"),
            ("12am", "2026-11-25T23:00:00Z"),
            ("12:30pm", "2026-11-26T11:30:00Z"),
            ("Dec 2, 3pm (Europe/Berlin)", "2026-12-02T14:00:00Z"),
            ("Dec 2 at 3pm (Europe/Berlin)", "2026-12-02T14:00:00Z"),
            ("1795600000", "2026-11-25T09:46:40Z"),
            // Codex
            ("12:33 AM", "2026-11-25T23:33:00Z"),
            ("Nov 26th, 2026 5:30 PM", "2026-11-26T16:30:00Z"),
            ("2 days 17 hours 14 minutes", "2026-11-28T05:04:30Z"),
            ("in 5 days 22 hours 11 minutes.", "2026-12-01T10:01:30Z"),
            // Copilot CLI
            ("2 hours. Please review our Terms of Service", "2026-11-25T13:50:30Z"),
            ("58 hours", "2026-11-27T21:50:30Z"),
            ("December 20, 2026 at 2:00 AM", "2026-12-20T01:00:00Z"),
            ("2 minutes before trying again", "2026-11-25T11:52:30Z"),
            // Gemini CLI
            ("15.002899939s", "2026-11-25T11:50:46Z"),
            ("3h20m5s.", "2026-11-25T15:10:35Z"),
            ("tomorrow at midnight", "2026-11-25T23:00:00Z"),
            // Others
            ("in about an hour", "2026-11-25T12:50:30Z"),
            ("in 1 hour, 20 minutes and 5 seconds", "2026-11-25T13:10:35Z"),
            ("16:21 on 19 Dec", "2026-12-19T15:21:00Z"),
            ("16:21", "2026-11-25T15:21:00Z"),
            ("1795600000000", "2026-11-25T09:46:40Z"),
            ("2026-11-26T17:30:00Z", "2026-11-26T17:30:00Z"),
            ("2026-11-26 17:30 UTC", "2026-11-26T17:30:00Z"),
            ("Jan 3", "2027-01-02T23:00:00Z"),
            ("midnight UTC", "2026-11-26T00:00:00Z"),
        ] {
            assert_eq!(meant(text, Sight::New), expected, "{text}");
        }
    }

    // Berlin's clock goes from three back to two in the night to October 25, 2026.
    #[test]
    fn a_clock_time_that_comes_twice_is_the_next_one() {
        let second_half_past_two = "2026-10-25T02:30+01:00[Europe/Berlin]".parse().unwrap();
        for (sight, expected) in [(Sight::New, "2026-10-25T01:50:00Z"), (Sight::Old, "2026-10-25T01:50:00Z")]
        {
            let found = parse("2:50am", &second_half_past_two, sight).unwrap();
            assert_eq!(found.to_string(), expected, "{sight:?}");
        }
    }

    #[test]
    fn what_cannot_be_is_unknown() {
        for text in [
            "",
            "soon",
            "later",
            "25:00",
            "13pm",
            "0am",
            "3:75pm",
            "Feb 30, 2027 3pm",
            "3pm (Middle/Earth)",
            "Nov 26th, 2031 5:30 PM",
            "900 days",
            "99999999999999999999 days",
            "0000000000",
            "1234567890",
        ] {
            assert_eq!(meant(text, Sight::New), "unknown", "{text}");
        }
    }

    #[test]
    fn a_time_that_has_just_gone_by_is_now_and_old_words_mean_the_nearest() {
        for (text, sight, expected) in [
            ("12:50pm", Sight::New, "2026-11-25T11:50:00Z"),
            ("12:49pm", Sight::New, "2026-11-25T11:49:00Z"),
            ("12:40pm", Sight::New, "2026-11-26T11:40:00Z"),
            ("12:40pm", Sight::Old, "2026-11-25T11:40:00Z"),
            ("11pm", Sight::Old, "2026-11-25T22:00:00Z"),
            ("2am", Sight::Old, "2026-11-25T01:00:00Z"),
        ] {
            assert_eq!(meant(text, sight), expected, "{text} {sight:?}");
        }
    }

    #[test]
    fn an_hour_that_the_clocks_skip_is_the_one_after() {
        let now: ZonedDateTime = "2027-03-28T00:30[Europe/Berlin]".parse().unwrap();
        let found = parse("2:30am", &now, Sight::New).unwrap();
        assert_eq!(found.to_string(), "2027-03-28T01:30:00Z");
    }
}
