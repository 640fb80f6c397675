//! Call trees as the options of a report want them.

use jumper_session::{
    FrameTree, ProcessorOptions, Scope, Session, TreeOptions, default_processors,
};

use crate::RenderOptions;
use crate::options::OptionSpec;
use crate::options::common::{FILTER_THRESHOLD, HIDE_REGEX, SHOW_ALL, SHOW_REGEX, TIMELINE};

/// The options that [`CallOptions`] are made of, for a renderer to declare.
pub(crate) const CALL_OPTIONS: [OptionSpec; 5] =
    [SHOW_ALL, TIMELINE, FILTER_THRESHOLD, HIDE_REGEX, SHOW_REGEX];

/// Which calls are shown.
pub(crate) struct CallOptions {
    pub(crate) show_all: bool,
    pub(crate) timeline: bool,
    pub(crate) processors: ProcessorOptions,
}

impl CallOptions {
    pub(crate) fn of(options: &RenderOptions) -> Self {
        Self {
            show_all: options.flag(&SHOW_ALL),
            timeline: options.flag(&TIMELINE),
            processors: ProcessorOptions {
                filter_threshold: options.number(&FILTER_THRESHOLD),
                hide_regex: options.pattern(&HIDE_REGEX),
                show_regex: options.pattern(&SHOW_REGEX),
            },
        }
    }

    /// The tree of a session after the [usual passes](default_processors), with `[self]` nodes as pyinstrument has them.
    #[allow(dead_code, reason = "for renderers that show no more than calls")]
    pub(crate) fn tree(&self, session: &Session, scope: Scope, resources: bool) -> FrameTree {
        let more = TreeOptions {
            resources,
            ..TreeOptions::default()
        };
        self.tree_with(session, scope, &more)
    }

    /// The same with what else `more` wants to be known of the nodes.
    pub(crate) fn tree_with(
        &self,
        session: &Session,
        scope: Scope,
        more: &TreeOptions,
    ) -> FrameTree {
        let shape = TreeOptions {
            timeline: self.timeline,
            self_nodes: true,
            scope,
            ..*more
        };
        let tree = FrameTree::build_with(session, &shape);
        default_processors(self.show_all, self.timeline)
            .into_iter()
            .fold(tree, |tree, processor| processor(tree, &self.processors))
    }
}
