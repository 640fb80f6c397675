//! What somebody may have meant.

/// The known name that is most like `name`, if one is.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Less alike than this is another word.
    const ALIKE: f64 = 0.7;
    // The last part of a dotted name is what people remember.
    let likeness = |other: &str| {
        let last = other.rsplit('.').next().unwrap_or(other);
        let of = |other: &str| strsim::normalized_damerau_levenshtein(name, other);
        of(other).max(of(last))
    };
    known
        .into_iter()
        .map(|other| (likeness(other), other))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let known = ["text", "html", "processor_options.filter_threshold"];
        assert_eq!(nearest("txt", known), Some("text"));
        assert_eq!(
            nearest("filter_treshold", known),
            Some("processor_options.filter_threshold")
        );
        assert_eq!(nearest("video", known), None);
    }
}
