//! What `docs/renderers.md` says of renderers, against what they say of themselves.

use jumper_render::{Renderer, renderers};

/// The row of a renderer.
fn row(renderer: &dyn Renderer) -> String {
    let about = renderer.about();
    let list = |items: Vec<String>| items.join(", ");
    let files = about
        .extensions
        .iter()
        .map(|extension| format!("`.{extension}`"));
    let options = about
        .options
        .iter()
        .map(|option| format!("`{}`", option.name));
    let binary = if about.is_binary { ", binary" } else { "" };
    format!(
        "| `{}` | {} | `{}`{binary} | {} |",
        about.name,
        list(files.collect()),
        about.media_type,
        list(options.collect())
    )
}

#[test]
fn the_table_of_renderers_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/renderers.md");
    let text = std::fs::read_to_string(path).expect("it is there");
    let rows: Vec<String> = renderers().iter().map(|renderer| row(*renderer)).collect();
    let expected = rows.join("\n");
    assert!(
        text.contains(&format!("| --- | --- | --- | --- |\n{expected}\n\n")),
        "the rows of the first table have to be:\n{expected}"
    );
}

#[test]
fn every_renderer_says_who_opens_it() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/renderers.md");
    let text = std::fs::read_to_string(path).expect("it is there");
    let (_, openers) = text
        .split_once("## Who opens them")
        .expect("the section is there");
    for renderer in renderers() {
        let name = format!("`{}`", renderer.about().name);
        let rows = openers.lines().filter_map(|line| line.strip_prefix("| "));
        let mut names = rows.filter_map(|row| row.split(" |").next());
        assert!(names.any(|names| names.contains(&name)), "{name}");
    }
}
