//! The text report and its options on the command line, in files and on terminals.

use std::path::PathBuf;

use jumper_session::{Function, Host, Manifest, NewSample, SessionBuilder, ThreadState, Timestamp};

use crate::support::Place;

/// A place with a session `s.jumper`: `main` calls `work` and, through two functions of a library, `hook`.
fn place() -> (Place, PathBuf) {
    let place = Place::new();
    let path = place.path("s.jumper");
    let mut builder = SessionBuilder::new();
    let host = builder.add_host(Host::default());
    let process = builder.add_process(host, 1, Some("python3 a.py"));
    let thread = builder.add_thread(process, 1, Some("MainThread"));
    let library = "/usr/lib/python3.12/json/decoder.py";
    let calls = [
        ("main", "/app/a_module_with_a_long_name.py"),
        ("work", "/app/vendor/work.py"),
        ("loads", library),
        ("decode", library),
        ("scan", library),
        ("hook", "/app/a_module_with_a_long_name.py"),
        ("rare", "/app/a_module_with_a_long_name.py"),
        ("step", library),
    ];
    let functions = calls.map(|(name, file)| {
        builder.intern_function(&Function {
            name,
            qualname: None,
            file,
            first_line: 7,
            hidden: false,
        })
    });
    for (count, rows) in [
        (500, &[0, 1][..]),
        (490, &[0, 2, 3, 7, 4, 5]),
        (5, &[0, 6]),
        (5, &[0]),
    ] {
        let frames: Vec<_> = rows.iter().map(|&row| (functions[row], 8)).collect();
        let stack = builder.intern_stack_frames(frames);
        for _ in 0..count {
            builder.push_sample(NewSample {
                time: Timestamp::from_nanos(1_000_000 * builder.sample_count() as i64),
                duration: std::time::Duration::from_millis(1),
                thread,
                task: None,
                state: ThreadState::ON_CPU,
                stack,
            });
        }
    }
    let session = builder.finish(Manifest {
        sys_path: Some(vec!["/app".into()]),
        sys_prefixes: Some(vec!["/usr".into()]),
        ..Manifest::default()
    });
    session.save(&path).expect("there is room");
    (place, path)
}

fn rendered(place: &Place, arguments: &[&str]) -> String {
    let done = place.run(&[&["render", "s.jumper"], arguments].concat());
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    done.stdout
}

fn refused(place: &Place, arguments: &[&str]) -> String {
    let done = place.run(&[&["render", "s.jumper"], arguments].concat());
    assert_eq!((done.status, done.stdout.as_str()), (Some(2), ""));
    assert_eq!(done.stderr.lines().count(), 1, "{}", done.stderr);
    done.stderr
}

#[test]
fn what_is_hidden_is_chosen_on_the_command_line() {
    let (place, _) = place();
    let usual = rendered(&place, &[]);
    assert!(usual.contains("[2 frames hidden]  "), "{usual}");
    assert!(
        usual.contains(" hook  ") && !usual.contains(" decode  ") && !usual.contains(" rare  ")
    );
    let all = rendered(&place, &["--show-all"]);
    assert!(
        all.contains(" decode  ") && all.contains(" rare  "),
        "{all}"
    );
    assert_eq!(rendered(&place, &["-p", "show_all"]), all);
    let shown = rendered(&place, &["--show", "*/json/*"]);
    assert!(
        shown.contains(" decode  ") && !shown.contains(" rare  "),
        "{shown}"
    );
    assert_eq!(rendered(&place, &["--show-regex", ".*/json/"]), shown);
    let few = rendered(&place, &["--filter-threshold=0.495"]);
    assert!(
        few.contains(" work  ") && !few.contains(" loads  "),
        "{few}"
    );
    let hidden = rendered(&place, &["--hide", "*/a_module_*"]);
    // What has much time of its own is drawn in any case.
    assert!(
        hidden.contains("[4 frames hidden]")
            && !hidden.contains(" loads  ")
            && hidden.contains(" hook  "),
        "{hidden}"
    );
    assert_eq!(rendered(&place, &["--hide-regex", ".*/a_module_"]), hidden);
    let cut = rendered(&place, &["--max-depth", "2"]);
    assert!(cut.contains(" main  ") && !cut.contains(" work  "), "{cut}");
}

#[test]
fn calls_are_a_tree_a_timeline_or_a_list() {
    let (place, _) = place();
    let timeline = rendered(&place, &["--timeline"]);
    assert!(timeline.contains(" work  "), "{timeline}");
    let flat = rendered(&place, &["-p", "flat", "-p", "flat_time=cumulative"]);
    assert!(
        flat.contains("\n1.000 main  ") && !flat.contains('└'),
        "{flat}"
    );
    let percent = rendered(&place, &["-p", "time=percent_of_total", "-p", "short_mode"]);
    assert!(
        percent.contains(".     ├─ 50.0% work  vendor/work.py:7\n"),
        "{percent}"
    );
    let columns = rendered(&place, &["-p", "columns=cpu,gil", "-p", "unicode=false"]);
    assert!(
        columns.is_ascii() && columns.contains("     cpu      gil\n"),
        "{columns}"
    );
    let only = rendered(&place, &["-p", r#"sections=["calls"]"#]);
    assert!(only.starts_with("1.000 MainThread  <thread>:1\n"), "{only}");
}

#[test]
fn what_is_not_understood_is_named_in_a_line() {
    let (place, _) = place();
    let said = refused(&place, &["-p", "shwo_all"]);
    assert!(
        said.contains("no option `shwo_all`; did you mean `show_all`?"),
        "{said}"
    );
    let said = refused(&place, &["-r", "txet"]);
    assert!(
        said.contains("no renderer `txet`; did you mean `text`?"),
        "{said}"
    );
    let said = refused(&place, &["-p", "width=3"]);
    assert!(
        said.contains("`width` cannot be 3; pass a whole number of at least 20"),
        "{said}"
    );
    let said = refused(&place, &["-p", "flat", "--timeline"]);
    assert!(
        said.contains("choose one of `flat` and `timeline`"),
        "{said}"
    );
    let said = refused(&place, &["--hide-regex", "("]);
    assert!(said.contains("hide_regex"), "{said}");
    // The same before a program is started.
    let done = place.run(&["run", "-p", "flat", "--timeline", "-c", "print('ran')"]);
    assert_eq!((done.status, done.stdout.as_str()), (Some(2), ""));
}

#[test]
fn renderers_are_listed_with_their_options() {
    let place = Place::new();
    let done = place.run(&["renderers"]);
    assert!(
        done.stdout.starts_with("text  the call tree as text"),
        "{}",
        done.stdout
    );
    assert!(
        done.stdout.contains("    -p flat=false  "),
        "{}",
        done.stdout
    );
    let one = place.run(&["renderers", "text"]);
    assert!(done.stdout.starts_with(&one.stdout));
    let none = place.run(&["renderers", "txet"]);
    assert_eq!(none.status, Some(2));
}

/// What a command writes to a terminal of 40 columns that follows links, and its exit status. `script` is the terminal.
fn on_a_terminal(place: &Place, arguments: &str) -> (Option<i32>, String) {
    let command = format!(
        "stty rows 24 cols 40 && {} {arguments}",
        env!("CARGO_BIN_EXE_jumper")
    );
    let mut script = place.jumper(&[]);
    let variables: Vec<_> = script
        .get_envs()
        .map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned)))
        .collect();
    script = std::process::Command::new("script");
    for (name, value) in variables {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    for name in ["NO_COLOR", "TMUX", "STY", "SSH_CONNECTION", "SSH_TTY"] {
        script.env_remove(name);
    }
    let output = script
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .current_dir(place.path(""))
        .env("SHELL", "/bin/sh")
        .env("TERM", "xterm-256color")
        .env("TERM_PROGRAM", "vscode")
        .stdin(std::process::Stdio::null())
        .output()
        .expect("there is a script");
    let text = String::from_utf8(output.stdout).expect("the report is UTF-8");
    (output.status.code(), text.replace("\r\n", "\n"))
}

#[test]
fn a_terminal_gets_colours_links_and_lines_that_fit() {
    let (place, _) = place();
    let (status, report) = on_a_terminal(&place, "render s.jumper");
    assert_eq!(status, Some(0), "{report}");
    assert!(report.contains("\u{1b}[31m1.000\u{1b}[0m"), "{report}");
    let link = "\u{1b}]8;;file:///app/a_module_with_a_long_name.py#7\u{1b}\\";
    assert!(report.contains(link), "{report}");
    assert!(report.contains("…"), "{report}");
    // Without what is asked not to be; stderr has a line that says what takes so long.
    let plain = on_a_terminal(
        &place,
        "render s.jumper --no-color -p links=false -p width=null 2>/dev/null",
    )
    .1;
    assert!(!plain.contains('\u{1b}') && !plain.contains('…'), "{plain}");
}

#[test]
fn what_is_no_text_does_not_go_to_a_terminal() {
    let (place, _) = place();
    let renderers = place.run(&["renderers"]).stdout;
    let mut name = "";
    for line in renderers.lines() {
        if !line.starts_with(' ') {
            name = line.split(' ').next().unwrap_or_default();
        }
        if line.contains(", binary  ") {
            let (status, said) = on_a_terminal(&place, &format!("render s.jumper -r {name}"));
            assert_eq!(status, Some(2), "{said}");
            assert!(
                said.contains("is no text and would garble the terminal"),
                "{said}"
            );
        }
    }
}
