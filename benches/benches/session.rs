//! What it costs to keep a recording, to open it again and to make reports of it. One unit is a sample.

#![allow(missing_docs, reason = "criterion's macros make the items")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jumper_benches::walk;
use jumper_render::{RenderOptions, renderers};
use jumper_session::{FrameTree, Parts, Session};

const SAMPLES: u32 = 100_000;

fn session(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("walk.jumper");
    let recorded = walk(SAMPLES);
    recorded.save(&path).expect("it can be saved");

    let mut group = criterion.benchmark_group("session");
    group
        .throughput(Throughput::Elements(SAMPLES.into()))
        .sample_size(10);
    group.bench_function("record", |bencher| {
        bencher.iter(|| walk(black_box(SAMPLES)))
    });
    group.bench_function("save", |bencher| bencher.iter(|| recorded.save(&path)));
    group.bench_function("open", |bencher| {
        bencher.iter(|| Session::open(black_box(&path)))
    });
    group.bench_function("open for calls", |bencher| {
        bencher.iter(|| Session::read(black_box(&path), Parts::CALLS))
    });
    group.bench_function("open for nothing", |bencher| {
        bencher.iter(|| Session::read(black_box(&path), Parts::NONE))
    });
    group.bench_function("tree", |bencher| {
        bencher.iter(|| FrameTree::build(black_box(&recorded)))
    });
    for renderer in renderers() {
        group.bench_function(renderer.about().name, |bencher| {
            bencher.iter(|| {
                renderer.render(&recorded, &RenderOptions::default(), &mut std::io::sink())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, session);
criterion_main!(benches);
