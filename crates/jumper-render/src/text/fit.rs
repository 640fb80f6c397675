//! Names that are too long for their line.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// No text is longer where the line has no width: a name may have a megabyte.
pub(super) const LONGEST: usize = 500;

/// The least that is left of a name.
const SHORTEST: usize = 8;

/// How wide a text is on a terminal.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// A name and a place that have `room` together, with a gap of two between them. The outer directories of a place are
/// left out first, then what is in the middle of the name.
pub(super) fn name_and_place(
    name: String,
    place: String,
    room: usize,
    dots: &str,
) -> (String, String) {
    let (wanted, of_place) = (width(&name), width(&place));
    if wanted + 2 + of_place <= room {
        return (name, place);
    }
    let file = place.rsplit('/').next().unwrap_or_default();
    let of_file = width(file) + width(dots) + 1;
    let least = of_file.min(of_place).min(room / 2);
    let left = room
        .saturating_sub(wanted + 2)
        .clamp(least, of_place.max(least));
    let place = end_of(place, left, dots);
    let left = room.saturating_sub(width(&place) + 2);
    (middle_of(name, left.max(SHORTEST), dots), place)
}

/// The beginning of a text.
pub(super) fn start_of(text: String, room: usize, dots: &str) -> String {
    if width(&text) <= room {
        return text;
    }
    let left = room.saturating_sub(width(dots));
    text[..prefix(&text, left)].to_owned() + dots
}

fn end_of(text: String, room: usize, dots: &str) -> String {
    if width(&text) <= room {
        return text;
    }
    let left = room.saturating_sub(width(dots));
    dots.to_owned() + &text[suffix(&text, left)..]
}

fn middle_of(text: String, room: usize, dots: &str) -> String {
    if width(&text) <= room {
        return text;
    }
    let left = room.saturating_sub(width(dots));
    let end = suffix(&text, left / 2);
    let start = prefix(&text, left - left / 2);
    text[..start].to_owned() + dots + &text[end..]
}

/// Where the longest beginning ends that is not wider.
fn prefix(text: &str, room: usize) -> usize {
    let mut taken = 0;
    let too_far = text.char_indices().find(|(_, character)| {
        taken += character.width().unwrap_or_default();
        taken > room
    });
    too_far.map_or(text.len(), |(index, _)| index)
}

/// Where the longest end begins that is not wider.
fn suffix(text: &str, room: usize) -> usize {
    let mut taken = 0;
    let too_far = text.char_indices().rev().find(|(_, character)| {
        taken += character.width().unwrap_or_default();
        taken > room
    });
    too_far.map_or(0, |(index, character)| index + character.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(name: &str, place: &str, room: usize) -> String {
        let (name, place) = name_and_place(name.into(), place.into(), room, "…");
        let line = format!("{name}  {place}");
        assert!(width(&line) <= room, "{line}");
        line
    }

    #[test]
    fn directories_go_first_and_then_the_middle_of_a_name() {
        let place = "project/package/module.py:120";
        assert_eq!(fitted("work", place, 40), format!("work  {place}"));
        assert_eq!(fitted("work", place, 30), "work  …t/package/module.py:120");
        assert_eq!(
            fitted("a_function_of_many_words", place, 36),
            "a_functio…any_words  …/module.py:120"
        );
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(middle_of("関数の名前".into(), 7, "…"), "関…前");
        assert_eq!(start_of("関数の名前".into(), 6, "…"), "関数…");
        assert_eq!(end_of("関数の名前".into(), 6, "…"), "…名前");
    }
}
