//! The command line, as typed. Nothing here looks at the system.

#[cfg(feature = "record")]
use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use jumper_render::{DiffForm, FailAbove};
#[cfg(feature = "record")]
use jumper_session::Level;
use jumper_session::formats::FORMATS;
#[cfg(feature = "record")]
use jumper_session::sources::Endpoint;
use jumper_session::{CellSpan, Span, Thresholds};

/// See where the time and the machine go when Python runs.
#[derive(Debug, Parser)]
#[command(
    name = "jumper",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a Python program and report where its time went
    #[cfg(feature = "record")]
    Run(RunArgs),
    /// Look at a Python program that is already running
    #[cfg(feature = "record")]
    Attach(AttachArgs),
    /// Say how much of this machine there is to use, and what limits it
    #[cfg(feature = "record")]
    Resources(ResourcesArgs),
    /// Measure what a program and the machine use, without looking at stacks
    #[cfg(feature = "record")]
    Monitor(MonitorArgs),
    /// Make a report from a recorded session
    Render(RenderArgs),
    /// Draw what was measured over time, as SVG, PNG or JPEG
    Plot(PlotArgs),
    /// List the kinds of reports, and what can be chosen about each
    Renderers(RenderersArgs),
    /// Say what is in a recorded session
    Info(InfoArgs),
    /// Write a session in another format, or a part of it
    Convert(ConvertArgs),
    /// Say what changed from one session to another
    Diff(DiffArgs),
    /// Make one session of several: of the ranks of a job, the hosts of a cluster, the runs of a program
    Merge(MergeArgs),
    /// Finish a recording whose recorder was killed, or that found no space left
    Repair(RepairArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

/// How the report is made and where it goes.
#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// Kind of report, one of those that `jumper renderers` lists [default: by the extension of FILE, else text]
    #[arg(short, long, value_name = "NAME")]
    pub(crate) renderer: Option<String>,

    /// Make the report from a template of your own, docs/templates.md says how; as -r template -p template=FILE
    #[arg(long, value_name = "FILE", conflicts_with = "renderer")]
    pub(crate) template: Option<PathBuf>,

    /// Write the report to FILE, whose extension says which kind it is; .jumper is the session itself, - is stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) outfile: Option<PathBuf>,

    /// An option of the report, such as show_all=true; can be given more than once. VALUE is JSON or text
    #[arg(short = 'p', long = "render-option", value_name = "NAME=VALUE")]
    pub(crate) render_option: Vec<String>,

    /// Leave in what libraries, importing and small functions did; as -p show_all
    #[arg(long)]
    pub(crate) show_all: bool,

    /// Leave calls in the order of time instead of adding up equal ones; as -p timeline
    #[arg(long)]
    pub(crate) timeline: bool,

    /// Hide code in files whose paths match, such as '*/vendor/*', as that of libraries is
    #[arg(long, value_name = "PATTERN", conflicts_with = "hide_regex")]
    pub(crate) hide: Option<String>,

    /// The same with a regular expression that paths begin with
    #[arg(long, value_name = "REGEX")]
    pub(crate) hide_regex: Option<String>,

    /// Never hide code in files whose paths match
    #[arg(long, value_name = "PATTERN", conflicts_with = "show_regex")]
    pub(crate) show: Option<String>,

    /// The same with a regular expression that paths begin with
    #[arg(long, value_name = "REGEX")]
    pub(crate) show_regex: Option<String>,

    /// Leave out calls below this share of the whole's time [default: 0.01]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub(crate) filter_threshold: Option<f64>,

    /// Draw no more than so many levels of calls; as -p max_depth
    #[arg(long, value_name = "LEVELS")]
    pub(crate) max_depth: Option<u64>,

    /// Colour the text report, also where it does not go to a terminal
    #[arg(long, overrides_with = "no_color")]
    pub(crate) color: bool,

    /// Do not colour the text report
    #[arg(long)]
    pub(crate) no_color: bool,

    /// Draw the text report with Unicode characters, whatever the locale
    #[arg(long, overrides_with = "no_unicode")]
    pub(crate) unicode: bool,

    /// Draw the text report with ASCII characters
    #[arg(long)]
    pub(crate) no_unicode: bool,
}

/// How to record.
#[cfg(feature = "record")]
#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// Seconds between two looks at the stacks
    #[arg(
        short,
        long,
        value_name = "SECONDS",
        default_value = "0.001",
        allow_negative_numbers = true
    )]
    pub(crate) interval: f64,

    /// Seconds between two measurements of CPU, memory and I/O
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0.5",
        allow_negative_numbers = true
    )]
    pub(crate) metrics_interval: f64,

    /// Measure what this level uses: process, user, system, slurm or container; can be given more than once [default: process
    /// and system]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) level: Vec<Level>,

    /// How running threads are held while they are read [default: agent for run, ptrace for attach]
    #[arg(long, value_name = "HOW")]
    pub(crate) hold: Option<HoldArg>,

    /// The same as --hold none
    #[arg(long, conflicts_with = "hold")]
    pub(crate) nonblocking: bool,

    /// Keep the session in DIR [default: among the last 20 in the user's data directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) session: Option<PathBuf>,
}

/// How running threads are held.
#[cfg(feature = "record")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum HoldArg {
    /// A signal handler loaded into the program reads in place; for programs that are started
    Agent,
    /// The kernel stops one thread at a time
    Ptrace,
    /// Not at all; the part of a stack that changes under a read counts as unproven
    None,
}

#[cfg(feature = "record")]
#[derive(Debug, Args)]
#[command(
    override_usage = "jumper run [OPTIONS] SCRIPT [ARGS]...\n       jumper run [OPTIONS] -m MODULE [ARGS]...\n       \
                      jumper run [OPTIONS] -c CODE [ARGS]...",
    after_help = "The program's input, output, arguments, signals and exit status are its own. Without -r and -o \
                  the report goes to stderr when the program has ended, so that its stdout stays its own."
)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) record: RecordArgs,

    #[command(flatten)]
    pub(crate) output: OutputArgs,

    /// The interpreter to use [default: python3]
    #[arg(long, value_name = "PATH", env = "JUMPER_PYTHON")]
    pub(crate) python: Option<PathBuf>,

    /// Run a module, as `python -m` does; all that follows is the module's
    #[arg(
        short = 'm',
        value_names = ["MODULE", "ARGS"],
        num_args = 1..,
        allow_hyphen_values = true,
        conflicts_with_all = ["code", "script"]
    )]
    pub(crate) module: Vec<OsString>,

    /// Run code, as `python -c` does; all that follows is the code's
    #[arg(
        short = 'c',
        value_names = ["CODE", "ARGS"],
        num_args = 1..,
        allow_hyphen_values = true,
        conflicts_with = "script"
    )]
    pub(crate) code: Vec<OsString>,

    /// The script, and all that follows it
    #[arg(
        value_name = "SCRIPT",
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required_unless_present_any = ["module", "code"]
    )]
    pub(crate) script: Vec<OsString>,
}

#[cfg(feature = "record")]
#[derive(Debug, Args)]
#[command(after_help = "The report goes to stdout. Ctrl-C ends the recording, not the program.")]
pub(crate) struct AttachArgs {
    /// The process to look at
    #[arg(value_name = "PID")]
    pub(crate) pid: u32,

    /// Stop after so many seconds [default: when the program ends, or at Ctrl-C]
    #[arg(short, long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) duration: Option<f64>,

    #[command(flatten)]
    pub(crate) record: RecordArgs,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[cfg(feature = "record")]
#[derive(Debug, Args)]
pub(crate) struct ResourcesArgs {
    /// What the process with this number may use [default: what this command may, and what is started beside it]
    #[arg(long, value_name = "PID")]
    pub(crate) pid: Option<u32>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(feature = "record")]
#[derive(Debug, Args)]
#[command(
    override_usage = "jumper monitor [OPTIONS] [-- PROGRAM [ARGS]...]",
    after_help = "With a program it ends when the program does, with its exit status, and the report goes to stderr. \
                  Without one it measures the machine until Ctrl-C, and the report goes to stdout. On a terminal a \
                  table shows what was measured last."
)]
pub(crate) struct MonitorArgs {
    /// Seconds between two measurements
    #[arg(
        short,
        long,
        value_name = "SECONDS",
        default_value = "1",
        allow_negative_numbers = true
    )]
    pub(crate) interval: f64,

    /// Measure what this level uses: process, user, system, slurm or container; can be given more than once [default: process
    /// and system, without a program system]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) level: Vec<Level>,

    /// Stop after so many seconds, and leave the program alone [default: when it ends, or at Ctrl-C]
    #[arg(short, long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) duration: Option<f64>,

    /// Read the metrics served there too, in Prometheus' text format; can be given more than once. Their names begin with NAME
    #[arg(long, value_name = "[NAME=]URL")]
    pub(crate) scrape: Vec<Endpoint>,

    /// Serve what was measured last for Prometheus to read: HOST:PORT, or a port of this machine's own
    #[arg(
        long,
        value_name = "ADDR",
        num_args = 0..=1,
        default_missing_value = "127.0.0.1:9187"
    )]
    pub(crate) prometheus: Option<String>,

    /// Keep the session in DIR [default: among the last 20 in the user's data directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) session: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) output: OutputArgs,

    /// The program, and all that follows it
    #[arg(value_name = "PROGRAM", last = true)]
    pub(crate) program: Vec<OsString>,
}

/// Which part of a session.
#[derive(Clone, Debug, Args)]
pub(crate) struct SelectArgs {
    /// Only these seconds since the beginning, such as 2:8, :5 or 3:, or -3:-1 counted from the end
    #[arg(long, value_name = "FROM:TO", allow_hyphen_values = true)]
    pub(crate) time: Option<Span>,

    /// Only while these cells of a notebook ran, counted from 0, such as 5, 2:8, :5 or 3:, or -3:-1 counted from the end
    #[arg(long, value_name = "CELLS", allow_hyphen_values = true)]
    pub(crate) cell: Option<CellSpan>,

    /// Only the threads of this name or with this number; can be given more than once
    #[arg(long, value_name = "NAME|TID")]
    pub(crate) thread: Vec<String>,

    /// Only the process with this number; can be given more than once
    #[arg(long, value_name = "PID")]
    pub(crate) process: Vec<u32>,

    /// Only the tasks with this number, in sessions that have tasks; can be given more than once
    #[arg(long, value_name = "TASK")]
    pub(crate) task: Vec<u64>,

    /// Which time counts: all of it, while a thread ran on a CPU, or while it held the interpreter's lock
    #[arg(long, value_enum, default_value_t, value_name = "MODE")]
    pub(crate) mode: ModeArg,

    /// Of the metrics only this level, such as process or system; can be given more than once
    #[arg(long, value_name = "LEVEL")]
    pub(crate) level: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeArg {
    /// All of it, whether a thread ran or waited
    #[default]
    Wall,
    /// While it ran on a CPU, or was ready to
    Cpu,
    /// While it held the interpreter's lock, in sessions that know when
    Gil,
}

#[derive(Debug, Args)]
pub(crate) struct RenderArgs {
    /// The session: a directory NAME.jumper, one in a .zip file, a .pyisession file, or what JUmPER exported
    #[arg(value_name = "SESSION")]
    pub(crate) session: PathBuf,

    #[command(flatten)]
    pub(crate) select: SelectArgs,

    #[command(flatten)]
    pub(crate) judge: JudgeArgs,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PlotArgs {
    /// The session: a directory NAME.jumper, one in a .zip file, a .pyisession file, or what JUmPER exported
    #[arg(value_name = "SESSION")]
    pub(crate) session: PathBuf,

    /// Write the picture to FILE, whose extension says in which format: .svg, .png, .jpg; - is SVG on stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) outfile: PathBuf,

    /// What to plot, such as cpu_summary,memory: JUmPER's keys, or names of metrics [default: what is looked at most]
    #[arg(short, long, value_name = "KEYS", value_delimiter = ',')]
    pub(crate) metrics: Vec<String>,

    /// Whether time in which no notebook cell ran is shown or cut out
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub(crate) idle: IdleArg,

    /// The colours
    #[arg(long, value_enum, default_value_t, value_name = "COLOURS")]
    pub(crate) theme: ThemeArg,

    /// Another option of the plot, such as width=600; can be given more than once. VALUE is JSON or text
    #[arg(short = 'p', long = "render-option", value_name = "NAME=VALUE")]
    pub(crate) render_option: Vec<String>,

    #[command(flatten)]
    pub(crate) select: SelectArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum IdleArg {
    /// Where it was
    #[default]
    Shown,
    /// Cut out, with a mark
    Compressed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ThemeArg {
    /// Dark on white
    #[default]
    Light,
    /// Light on black
    Dark,
}

#[derive(Debug, Args)]
pub(crate) struct RenderersArgs {
    /// Only this one
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
}

/// By what the use of the machine is judged.
#[derive(Debug, Args)]
pub(crate) struct JudgeArgs {
    /// Judge by another threshold, such as cpu_ratio=0.5; can be given more than once [default: the session's, else JUmPER's]
    #[arg(long, value_name = "NAME=NUMBER", value_parser = threshold)]
    pub(crate) threshold: Vec<(String, f64)>,
}

fn threshold(text: &str) -> Result<(String, f64), String> {
    let (name, number) = text.split_once('=').unwrap_or((text, ""));
    if Thresholds::default().get_mut(name).is_none() {
        let names = Thresholds::NAMES.join(", ");
        return Err(format!(
            "there is no threshold of that name; there are {names}"
        ));
    }
    match number.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((name.into(), number)),
        _ => Err(format!("write a number behind it, such as {name}=0.5")),
    }
}

#[derive(Debug, Args)]
pub(crate) struct InfoArgs {
    /// The session: a directory NAME.jumper, one in a .zip file, a .pyisession file, or what JUmPER exported
    #[arg(value_name = "SESSION")]
    pub(crate) session: PathBuf,

    /// List the functions that used most of each resource too, as an estimate
    #[arg(long)]
    pub(crate) resources: bool,

    #[command(flatten)]
    pub(crate) select: SelectArgs,

    #[command(flatten)]
    pub(crate) judge: JudgeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    /// The session: a directory NAME.jumper, one in a .zip file, a .pyisession file, or what JUmPER exported
    #[arg(value_name = "IN")]
    pub(crate) input: PathBuf,

    /// What to write; its name says in which format, unless --to does: .jumper, .zip or .pyisession
    #[arg(value_name = "OUT")]
    pub(crate) output: PathBuf,

    /// Make it coarser and smaller: of each thread one sample, of each level one measurement in so many seconds, such as 0.01
    #[arg(short, long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) interval: Option<f64>,

    /// The format, whatever OUT is called; jumper-extension is JUmPER's: a .zip file, or a directory of any other name
    #[arg(long, value_name = "FORMAT", value_parser = format_names())]
    pub(crate) to: Option<String>,

    #[command(flatten)]
    pub(crate) select: SelectArgs,

    #[command(flatten)]
    pub(crate) judge: JudgeArgs,
}

fn format_names() -> PossibleValuesParser {
    FORMATS.iter().map(|format| format.name).into()
}

#[derive(Debug, Args)]
#[command(
    override_usage = "jumper diff [OPTIONS] BEFORE AFTER\n       jumper diff [OPTIONS] SESSION --before-cell CELLS --after-cell CELLS\n       \
                      jumper diff [OPTIONS] SESSION --before-time FROM:TO --after-time FROM:TO",
    after_help = "The status is 3 where something became slower than --fail-above allows."
)]
pub(crate) struct DiffArgs {
    /// The first session: a directory NAME.jumper, one in a .zip file, a .pyisession file, or what JUmPER exported
    #[arg(value_name = "BEFORE")]
    pub(crate) before: PathBuf,

    /// The second
    #[arg(
        value_name = "AFTER",
        required_unless_present_any = ["before_time", "after_time", "before_cell", "after_cell"]
    )]
    pub(crate) after: Option<PathBuf>,

    /// Fail with status 3 where the whole, or a function itself, became slower by more than this share of the whole
    /// before, such as 5%, and by more than chance explains
    #[arg(long, value_name = "PERCENT", allow_hyphen_values = true)]
    pub(crate) fail_above: Option<FailAbove>,

    /// What to write: text, markdown or summary (JSON) [default: by the extension of FILE, else text]
    #[arg(short, long, value_name = "NAME", value_parser = diff_forms())]
    pub(crate) renderer: Option<String>,

    /// Write it to FILE; - is stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) outfile: Option<PathBuf>,

    /// List so many functions at most
    #[arg(long, value_name = "COUNT", default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,

    /// Of the first session only these seconds, as --time
    #[arg(
        long,
        value_name = "FROM:TO",
        allow_hyphen_values = true,
        conflicts_with = "time"
    )]
    pub(crate) before_time: Option<Span>,

    /// Of the second session only these seconds, as --time
    #[arg(
        long,
        value_name = "FROM:TO",
        allow_hyphen_values = true,
        conflicts_with = "time"
    )]
    pub(crate) after_time: Option<Span>,

    /// Of the first session only these cells, as --cell
    #[arg(
        long,
        value_name = "CELLS",
        allow_hyphen_values = true,
        conflicts_with = "cell"
    )]
    pub(crate) before_cell: Option<CellSpan>,

    /// Of the second session only these cells, as --cell
    #[arg(
        long,
        value_name = "CELLS",
        allow_hyphen_values = true,
        conflicts_with = "cell"
    )]
    pub(crate) after_cell: Option<CellSpan>,

    #[command(flatten)]
    pub(crate) select: SelectArgs,
}

fn diff_forms() -> PossibleValuesParser {
    DiffForm::ALL.map(DiffForm::name).into()
}

#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// The sessions: directories NAME.jumper, .zip or .pyisession files, or what JUmPER exported
    #[arg(value_name = "SESSION", required = true)]
    pub(crate) sessions: Vec<PathBuf>,

    /// What to write; its name says in which format: .jumper, .zip or .pyisession
    #[arg(short, long = "outfile", value_name = "OUT")]
    pub(crate) output: PathBuf,

    /// Put them one after the other, without the time between them, instead of each at its own time
    #[arg(long)]
    pub(crate) combine: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RepairArgs {
    /// The session: a directory NAME.jumper
    #[arg(value_name = "SESSION")]
    pub(crate) session: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[cfg(feature = "record")]
    fn run_args(line: &[&str]) -> RunArgs {
        let line = ["jumper", "run"].iter().chain(line);
        match Cli::try_parse_from(line).expect("a valid line").command {
            Command::Run(arguments) => arguments,
            command => panic!("{command:?}"),
        }
    }

    #[cfg(feature = "record")]
    #[test]
    fn what_follows_the_program_is_the_program_s() {
        let script = run_args(&["-i", "0.01", "a.py", "-o", "x", "--", "-m", "--help"]);
        assert_eq!(script.script, ["a.py", "-o", "x", "--", "-m", "--help"]);
        assert_eq!(
            (script.record.interval, script.output.outfile),
            (0.01, None)
        );
        let module = run_args(&[
            "-o",
            "r.html",
            "-m",
            "http.server",
            "--bind",
            "::1",
            "-o",
            "x",
            "--",
            "--version",
        ]);
        assert_eq!(
            module.module,
            ["http.server", "--bind", "::1", "-o", "x", "--", "--version"]
        );
        assert_eq!(module.output.outfile, Some("r.html".into()));
        let code = run_args(&["-c", "print(1)", "-c", "-m"]);
        assert_eq!(code.code, ["print(1)", "-c", "-m"]);
    }
}
