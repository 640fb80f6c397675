//! Builds the agent, which the recorder carries inside it and loads into the programs that are started with it.
//!
//! A crate cannot yet depend on the shared library that another one is built to (cargo's artifact dependencies are not
//! stable), so that cargo is called here. The agent is always optimised, and shared by all profiles.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const NAME: &str = "libjumper_agent.so";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let records = env::var_os("CARGO_FEATURE_RECORD").is_some();
    if !records || env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    let crates = path("CARGO_MANIFEST_DIR").join("..");
    for source in ["jumper-agent", "jumper-sampler"] {
        for part in ["Cargo.toml", "src"] {
            println!(
                "cargo::rerun-if-changed={}",
                crates.join(source).join(part).display()
            );
        }
    }
    for shared in ["Cargo.toml", "Cargo.lock"] {
        let path = crates.join("..").join(shared);
        println!("cargo::rerun-if-changed={}", path.display());
    }
    let library = build(&crates.join("jumper-agent"));
    let copy = path("OUT_DIR").join(NAME);
    if let Err(error) = fs::copy(&library, &copy) {
        panic!("cannot copy {}: {error}", library.display());
    }
}

/// Builds the library and returns where it lies.
fn build(package: &Path) -> PathBuf {
    let target = env::var("TARGET").expect("cargo sets TARGET");
    // Beside the folder of the profile, OUT_DIR being PROFILE/build/PACKAGE/out.
    let out = path("OUT_DIR");
    let profile = out.ancestors().nth(3).expect("OUT_DIR is four deep");
    let folder = profile.parent().unwrap_or(profile).join("agent");
    let mut cargo = Command::new(path("CARGO"));
    cargo
        .args([
            "build",
            "--release",
            "--locked",
            "--quiet",
            "--lib",
            "--target",
            &target,
        ])
        .arg("--target-dir")
        .arg(&folder)
        .arg("--manifest-path")
        .arg(package.join("Cargo.toml"))
        // What we were called with is not meant for it: clippy, coverage, another target folder.
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("RUSTC_WRAPPER")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_TARGET_DIR")
        .env("CARGO_PROFILE_RELEASE_STRIP", "symbols")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false");
    let status = cargo.status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => panic!("the agent does not build ({status})"),
        Err(error) => panic!("cannot start cargo to build the agent: {error}"),
    }
    folder.join(target).join("release").join(NAME)
}

fn path(variable: &str) -> PathBuf {
    env::var_os(variable)
        .unwrap_or_else(|| panic!("cargo sets {variable}"))
        .into()
}
