//! Two recordings side by side: what changed by more than chance explains, for people, for a pull request, and for scripts.
//!
//! Another form is a file, a variant of [`DiffForm`] and a line in [`Diff::write`].

mod gate;
mod markdown;
mod summary;
mod text;

use std::io::Write;

use jumper_session::{Compared, Comparison, Label, Parts, Session, compare};

pub use gate::{FailAbove, Regression};

use crate::RenderError;

/// So many functions are listed by themselves where nobody says how many.
const FUNCTIONS: usize = 15;
/// The smallest share of the larger total that something changes by to be shown.
const LEAST_SHARE: f64 = 0.01;

/// What of the two sessions a [`Diff`] looks at.
pub const DIFF_NEEDS: Parts = Parts::CALLS;

/// What a [`Diff`] is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiffForm {
    /// For a terminal.
    Text,
    /// For a comment on a pull request.
    Markdown,
    /// JSON for scripts and agents.
    Summary,
}

impl DiffForm {
    /// All forms.
    pub const ALL: [Self; 3] = [Self::Text, Self::Markdown, Self::Summary];

    /// The name, which is that of the renderer that makes the same of one session.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Markdown => "markdown",
            Self::Summary => "summary",
        }
    }

    /// The extension of its files, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Text => "txt",
            Self::Markdown => "md",
            Self::Summary => "json",
        }
    }
}

/// What changed from one session to another, or from one [selection](jumper_session::Selection) of a session to another.
#[derive(Debug)]
pub struct Diff<'a> {
    before: &'a Session,
    after: &'a Session,
    compared: Comparison,
    limit: usize,
    fail_above: Option<FailAbove>,
    regressions: Vec<Regression>,
}

impl<'a> Diff<'a> {
    /// Compares two sessions.
    pub fn of(before: &'a Session, after: &'a Session) -> Self {
        Self {
            before,
            after,
            compared: compare(before, after),
            limit: FUNCTIONS,
            fail_above: None,
            regressions: Vec::new(),
        }
    }

    /// Lists no more than so many functions.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Looks for what became slower by more than a share of the whole.
    #[must_use]
    pub fn failing_above(mut self, threshold: FailAbove) -> Self {
        self.regressions = threshold.regressions(&self.compared);
        self.fail_above = Some(threshold);
        self
    }

    /// Whether there is time before, of which something can be a share.
    pub fn has_before(&self) -> bool {
        !self.compared.total().0.is_zero()
    }

    /// What became slower by more than it was [allowed to](Self::failing_above): the whole first, then functions.
    pub fn regressions(&self) -> &[Regression] {
        &self.regressions
    }

    /// Writes it.
    ///
    /// # Errors
    /// If `out` cannot be written to.
    pub fn write(&self, form: DiffForm, out: &mut dyn Write) -> Result<(), RenderError> {
        match form {
            DiffForm::Text => Ok(text::write(self, out)?),
            DiffForm::Markdown => markdown::write(self, out),
            DiffForm::Summary => summary::write(self, out),
        }
    }

    /// The functions whose own time changed by more than chance explains, and by enough to be shown.
    fn changed_functions(&self) -> Vec<Compared> {
        let least = self.least();
        let mut functions = self.compared.functions();
        functions.retain(|function| is_worth_showing(function, least));
        functions
    }

    /// The calls of which the same is true, and all threads, in pre-order.
    fn changed_calls(&self) -> impl Iterator<Item = &Compared> {
        let least = self.least();
        let nodes = self.compared.nodes().iter();
        nodes.filter(move |node| is_worth_showing(node, least))
    }

    /// The smallest change that is shown, in seconds.
    fn least(&self) -> f64 {
        let (before, after) = self.compared.total();
        before.max(after).as_secs_f64() * LEAST_SHARE
    }
}

/// What changed by so many seconds at least, and more than by chance. Threads are shown in any case.
fn is_worth_showing(node: &Compared, least: f64) -> bool {
    let is_thread = matches!(node.label, Label::Thread { .. });
    is_thread || node.change().abs() >= least && node.is_significant()
}

/// The name of a node and the place that belongs to it.
fn name_and_place(label: &Label) -> (&str, &str) {
    match label {
        Label::Thread { name } if name.is_empty() => ("thread", ""),
        Label::Thread { name } => (name, "thread"),
        Label::Function { name, file } => (name, file),
        Label::Itself => ("[self]", ""),
    }
}
