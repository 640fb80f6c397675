//! The performance reports, the Markdown summary and the summary for scripts, of one session and of two.

mod support;

use jumper_render::{Diff, DiffForm, FailAbove};
use jumper_session::{Manifest, Selection, SessionBuilder, Timestamp};
use serde_json::{Value, json};
use support::{HOSTILE, report, session, session_with};

fn made(name: &str) -> String {
    report(&session(), name, &[]).expect("it is made")
}

/// Nothing of it has power over a terminal.
fn assert_is_harmless(text: &str) {
    let is_control = |character: char| character.is_control() && character != '\n';
    assert!(!text.contains(is_control), "{text:?}");
    assert!(!text.contains('\u{202e}'), "{text:?}");
    assert!(!text.contains(HOSTILE), "{text:?}");
}

#[test]
fn the_performance_report_has_all_figures() {
    let text = made("perfreport");
    assert_is_harmless(&text);
    insta::assert_snapshot!(text);
}

#[test]
fn the_performance_report_is_of_what_is_selected() {
    let session = session();
    let first =
        Selection::all().between(Timestamp::from_nanos(0), Timestamp::from_nanos(420_000_000));
    let part = session
        .select(&first.of_levels(["process"]))
        .expect("it is there");
    let text = report(&part, "perfreport", &[]).expect("it is made");
    assert!(text.contains("Cells     1, together 0.400 s"), "{text}");
    assert!(
        text.contains("Process") && !text.contains("System"),
        "{text}"
    );
}

#[test]
fn without_metrics_the_performance_reports_say_so() {
    let empty = SessionBuilder::new().finish(Manifest::default());
    let text = report(&empty, "perfreport", &[]).expect("it is made");
    assert!(text.contains("  no metrics were recorded\n"), "{text}");
    let page = report(&empty, "perfreport-html", &[]).expect("it is made");
    assert!(page.contains("No metrics were recorded."), "{page}");
}

#[test]
fn the_performance_page_needs_nothing_and_believes_nothing() {
    let page = made("perfreport-html");
    assert_is_harmless(&page);
    assert!(!page.contains("<script"), "{page}");
    assert!(
        !page.contains("http://") && !page.contains("https://"),
        "{page}"
    );
    for text in [
        "cpu-bound",
        "memory (USS)",
        "8.00 GiB",
        "Cells",
        "prefers-color-scheme: dark",
    ] {
        assert!(page.contains(text), "no {text} in {page}");
    }
}

#[test]
fn the_markdown_summary_is_what_it_was() {
    let text = made("markdown");
    assert_is_harmless(&text);
    // Nobody is told, and no table ends early.
    assert!(
        !text.contains("@team") && !text.contains("<script"),
        "{text}"
    );
    for row in text.lines().filter(|line| line.starts_with("| ")) {
        assert_eq!(row.matches(" |").count(), 6, "{row}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn the_markdown_summary_fits_into_a_comment() {
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(jumper_session::Host::default());
    let process = builder.add_process(host, 1, None);
    let thread = builder.add_thread(process, 1, None);
    for index in 0..200 {
        let name = format!("{index}{}", "|".repeat(500));
        let function = builder.intern_function(&jumper_session::Function {
            name: &name,
            qualname: None,
            file: &name,
            first_line: 1,
            hidden: false,
        });
        let stack = builder.intern_stack_frames([(function, 1)]);
        builder.push_sample(jumper_session::NewSample {
            time: Timestamp::from_nanos(index * 1_000_000),
            duration: std::time::Duration::from_millis(1),
            thread,
            task: None,
            state: jumper_session::ThreadState::NONE,
            stack,
        });
    }
    let session = builder.finish(Manifest::default());
    let text = report(&session, "markdown", &[("limit", json!(100))]).expect("it is made");
    assert!(text.len() <= 60_000, "{}", text.len());
    assert!(text.contains("functions more"), "{text}");
    let empty = SessionBuilder::new().finish(Manifest::default());
    let mut comment = Vec::new();
    let diff = Diff::of(&empty, &session).with_limit(1000);
    diff.write(DiffForm::Markdown, &mut comment)
        .expect("memory");
    assert!(comment.len() <= 60_000, "{}", comment.len());
}

fn schema() -> jsonschema::Validator {
    let schema = include_str!("../../../docs/summary.schema.json");
    let schema: Value = serde_json::from_str(schema).expect("valid JSON");
    jsonschema::validator_for(&schema).expect("a valid schema")
}

fn assert_is_valid(document: &str) -> Value {
    let document: Value = serde_json::from_str(document).expect("valid JSON");
    let wrong: Vec<String> = schema()
        .iter_errors(&document)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{document:#}");
    document
}

#[test]
fn the_summary_keeps_its_schema_and_its_limit() {
    let summary = made("summary");
    assert_is_harmless(&summary);
    let all = assert_is_valid(&summary);
    assert_eq!(all["functions"]["count"], 4);
    assert_eq!(all["functions"]["top"][0]["name"], "work");
    assert_eq!(all["functions"]["top"][0]["self_s"], 0.5);
    assert_eq!(
        all["levels"]["top"][0]["tags"][0]["tag"],
        "gpu-allocated-but-not-used"
    );
    let few = report(&session(), "summary", &[("limit", json!(1))]).expect("it is made");
    let few = assert_is_valid(&few);
    assert_eq!(few["functions"]["count"], 4);
    for list in ["functions", "threads", "levels", "cells"] {
        assert_eq!(few[list]["top"].as_array().map(Vec::len), Some(1), "{list}");
    }
    let empty = SessionBuilder::new().finish(Manifest::default());
    assert_is_valid(&report(&empty, "summary", &[]).expect("it is made"));
}

#[test]
fn the_summary_of_two_names_what_became_slower() {
    let (before, after) = (session_with(500), session_with(900));
    let threshold: FailAbove = "5%".parse().expect("a threshold");
    let diff = Diff::of(&before, &after).failing_above(threshold);
    let mut out = Vec::new();
    diff.write(DiffForm::Summary, &mut out).expect("memory");
    let summary = assert_is_valid(&String::from_utf8(out).expect("UTF-8"));
    assert_eq!(summary["regressions"]["count"], 2);
    assert_eq!(summary["regressions"]["top"][0]["name"], Value::Null);
    assert_eq!(summary["regressions"]["top"][1]["name"], "work");
    assert_eq!(summary["slower"]["top"][0]["change_s"], 0.4);
    assert_eq!(summary["faster"]["count"], 0);
}

#[test]
fn a_comment_about_two_sessions_says_what_is_too_slow() {
    let (before, after) = (session_with(500), session_with(900));
    let comment = |diff: Diff<'_>, form| {
        let mut out = Vec::new();
        diff.write(form, &mut out).expect("memory");
        String::from_utf8(out).expect("UTF-8")
    };
    let threshold: FailAbove = "5%".parse().expect("a threshold");
    let diff = || Diff::of(&before, &after).failing_above(threshold);
    let markdown = comment(diff(), DiffForm::Markdown);
    assert_is_harmless(&markdown);
    assert!(
        !markdown.contains("@team") && !markdown.contains("<script"),
        "{markdown}"
    );
    insta::assert_snapshot!("markdown_of_two", markdown);
    insta::assert_snapshot!("text_of_two", comment(diff(), DiffForm::Text));
    // Within the error of sampling nothing is too slow, whatever the threshold.
    let (before, after) = (session_with(500), session_with(505));
    let none: FailAbove = "0%".parse().expect("a threshold");
    let diff = Diff::of(&before, &after).failing_above(none);
    assert!(diff.regressions().is_empty(), "{:?}", diff.regressions());
    assert!(comment(diff, DiffForm::Text).contains("Nothing became slower by more than 0% of"));
}
