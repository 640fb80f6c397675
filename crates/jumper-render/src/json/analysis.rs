//! What the metrics say, in the report for programs: `metrics`, `signatures` and `resources`.

use std::io::Write;

use jumper_session::{
    Attribution, FrameTree, MetricStatistics, NodeId, Resource, Resources, Session, Signature,
};
use serde_json::{Value, json};

use crate::RenderError;

/// Writes what concerns the session as a whole. What is not known is null, or is not there.
pub(super) fn write(
    session: &Session,
    tree: &FrameTree,
    out: &mut dyn Write,
) -> Result<(), RenderError> {
    let metrics = MetricStatistics::of(session);
    let metrics: Vec<Value> = metrics.iter().map(|found| metric(session, found)).collect();
    let signatures = Signature::of(session);
    let signatures: Vec<Value> = signatures
        .iter()
        .map(|found| signature(session, found))
        .collect();
    let parts = [
        ("metrics", metrics.into()),
        ("signatures", signatures.into()),
        ("resources", resources(tree, session.is_selected())),
    ];
    for (name, value) in parts {
        write!(out, "\"{name}\":")?;
        serde_json::to_writer(&mut *out, &value).map_err(std::io::Error::from)?;
        write!(out, ",")?;
    }
    Ok(())
}

fn metric(session: &Session, found: &MetricStatistics) -> Value {
    let column = session.metrics().column(found.metric);
    json!({
        "name": column.name,
        "host": session.hosts()[found.host.index()].name,
        "level": session.string(found.level),
        "unit": column.unit,
        "rows": found.rows,
        "count": found.count,
        "min": found.min,
        "average": found.average,
        "max": found.max,
        "total": found.total,
        "total_unit": column.total_unit(),
        "limit": found.limit,
    })
}

fn signature(session: &Session, found: &Signature) -> Value {
    let tags = found.tags.iter();
    let tags: Vec<Value> = tags
        .map(|tag| json!({ "tag": tag.tag.name(), "score": tag.score }))
        .collect();
    let unknown: Vec<&str> = found.unknown.iter().map(|tag| tag.name()).collect();
    json!({
        "host": session.hosts()[found.host.index()].name,
        "level": session.string(found.level),
        "tags": tags,
        "unknown": unknown,
    })
}

/// What was measured, and how much of it no frame has.
fn resources(tree: &FrameTree, is_selected: bool) -> Value {
    let known = known(tree).map(|(resource, attribution)| {
        let value = json!({
            "unit": resource.unit(),
            "measured": attribution.measured(resource),
            "unattributed": attribution.unattributed(resource),
            "of_whole_recording": is_selected,
        });
        (resource.name().to_owned(), value)
    });
    Value::Object(known.collect())
}

fn known(tree: &FrameTree) -> impl Iterator<Item = (Resource, &Attribution)> {
    let attribution = tree.attribution().into_iter();
    attribution.flat_map(|attribution| {
        let all = Resource::ALL.into_iter();
        all.filter(|resource| attribution.measured(*resource).is_some())
            .map(move |resource| (resource, attribution))
    })
}

/// What each frame used.
pub(super) struct NodeResources<'a> {
    tree: &'a FrameTree,
    totals: Vec<Resources>,
    known: Vec<Resource>,
}

impl<'a> NodeResources<'a> {
    /// `None` where nothing is known of anything: then frames are as pyinstrument has them.
    pub(super) fn of(tree: &'a FrameTree) -> Option<Self> {
        let known: Vec<Resource> = known(tree).map(|(resource, _)| resource).collect();
        (!known.is_empty()).then(|| Self {
            tree,
            totals: tree.resource_totals(),
            known,
        })
    }

    pub(super) fn write(&self, id: NodeId, out: &mut dyn Write) -> Result<(), RenderError> {
        let own = self.tree.node(id).own_resources();
        write!(out, "\"resources\":{{\"estimate\":true,\"own\":")?;
        self.amounts(&own, out)?;
        write!(out, ",\"total\":")?;
        self.amounts(&self.totals[id.index()], out)?;
        write!(out, "}},")?;
        Ok(())
    }

    fn amounts(&self, amounts: &Resources, out: &mut dyn Write) -> Result<(), RenderError> {
        let mut before = '{';
        for &resource in &self.known {
            let amount = amounts.get(resource);
            let name = resource.name();
            match resource.unit() {
                "B" => write!(out, "{before}\"{name}\":{amount:.0}")?,
                _ => write!(out, "{before}\"{name}\":{amount:.6}")?,
            }
            before = ',';
        }
        write!(out, "}}")?;
        Ok(())
    }
}
