//! Our own templates, by the names that users' templates can extend and include.

/// The templates, without the ending `.j2` of their files.
const TEMPLATES: [(&str, &str); 5] = [
    (
        "jumper/report.txt",
        include_str!("../../templates/report.txt.j2"),
    ),
    (
        "jumper/report.html",
        include_str!("../../templates/report.html.j2"),
    ),
    (
        "jumper/perfreport.txt",
        include_str!("../../templates/perfreport.txt.j2"),
    ),
    (
        "jumper/perfreport.html",
        include_str!("../../templates/perfreport.html.j2"),
    ),
    (
        "jumper/summary.md",
        include_str!("../../templates/summary.md.j2"),
    ),
];

/// What a name of one of ours begins with.
pub(super) const PREFIX: &str = "jumper/";

/// The names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TEMPLATES.iter().map(|(name, _)| *name)
}

/// The text of one.
pub(super) fn text(name: &str) -> Option<&'static str> {
    let found = TEMPLATES.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text)
}
