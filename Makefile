# One entry point for people and for CI. A target first checks what it needs and installs what it
# can; `make help` lists the targets.

PYTHON ?= python3
# Exported, so that cargo, pip and maturin share what they build.
export CARGO_TARGET_DIR := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
export PYTHON
# Another interpreter than the usual one is also the one that pyo3 builds for.
ifneq ($(PYTHON),python3)
export PYO3_PYTHON := $(PYTHON)
endif

VENV := target/venv
JUMPER := "$(CARGO_TARGET_DIR)/release/jumper"
COMPARE_VENV := target/compare
TYPED_CODE := crates/jumper-py/python examples benches/compare
PYTHON_CODE := $(TYPED_CODE) crates/jumper-py/tests crates/jumper-cli/tests crates/jumper-session/tests crates/jumper-render/tests scripts
# For each program of the stress suite: in `make test`, and in `make stress`, which takes ten minutes.
STRESS_SHORT := 1
STRESS_LONG := 10

STEP := @sh scripts/step.sh

.PHONY: help demo test test-rust test-python test-pyinstrument test-interchange test-jumper-extension test-stress stress cpython-tests fuzz lint lint-rust lint-python bench bench-stacks bench-session bench-metrics bench-render gallery wheel fmt clean rust venv
.NOTPARALLEL:

help: ## Show this list
	@echo "Needed: cargo and rustc, python3 (3.9 or later), cc. Python tools go into $(VENV)."
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-21s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: rust ## Build the command, profile examples/census.py and print the report
	@sh scripts/setup.sh python
	$(STEP) "the command does not build" cargo build --release --locked -p jumper-cli
	@rm -rf demo && mkdir demo
	$(STEP) "the example could not be profiled" $(JUMPER) run \
	    -o demo/report.html --session demo/census.jumper examples/census.py
	$(STEP) "the session could not be printed" $(JUMPER) render demo/census.jumper -r text
	@echo
	@echo "HTML report:  $(CURDIR)/demo/report.html"
	@echo "session:      $(CURDIR)/demo/census.jumper"
	@echo "the command: " $(JUMPER)

test: test-rust test-python test-pyinstrument test-interchange test-jumper-extension test-stress ## Run all tests: Rust, documentation, Python, pyinstrument's trees and reports, reports in other programs, JUmPER's sessions, programs under the agent

test-rust: rust ## Run the tests of the Rust crates
	@sh scripts/setup.sh python
	@sh scripts/test-rust.sh

test-python: rust venv ## Build the wheel, install it into target/venv and run its tests
	@sh scripts/test-python.sh $(VENV)

test-pyinstrument: rust ## Compare our trees and reports of pyinstrument's sessions with its own
	@sh scripts/setup.sh python
	@sh scripts/venv.sh $(COMPARE_VENV) benches/compare/requirements.txt
	@sh scripts/test-pyinstrument.sh $(COMPARE_VENV)

test-interchange: rust ## Open our reports for other programs with those programs
	@sh scripts/setup.sh python
	@sh scripts/venv.sh $(COMPARE_VENV) benches/compare/requirements.txt
	@sh scripts/test-interchange.sh $(COMPARE_VENV)

test-jumper-extension: rust ## Carry sessions to JUmPER and back, with its own code at its end
	@sh scripts/setup.sh python
	@sh scripts/venv.sh $(COMPARE_VENV) benches/compare/requirements.txt
	@sh scripts/test-jumper-extension.sh $(COMPARE_VENV)

test-stress: rust venv ## Run the stress suite for a short time: programs are what they are without Jumper
	@sh scripts/test-stress.sh $(VENV) $(STRESS_SHORT)

stress: rust venv ## The same for ten minutes
	@sh scripts/test-stress.sh $(VENV) $(STRESS_LONG)

cpython-tests: rust ## Compare the verdicts of CPython's own tests with and without Jumper (an hour); PYTHON=...
	@sh scripts/setup.sh python
	$(STEP) "the command does not build" cargo build --release --locked -p jumper-cli
	$(STEP) "a test knows that it is profiled" sh scripts/cpython-tests.sh $(PYTHON)

fuzz: rust ## Change sessions at random and read them; ARGS="--seconds N --target NAME --seed N" or "--replay FILE"
	$(STEP) "a reader failed, or the inputs could not be tried" \
	    cargo run --locked -p jumper-session --example fuzz_readers -- $(ARGS)

lint: lint-rust lint-python ## Check formatting, lints, documentation, layers and types

lint-rust: rust
	@sh scripts/setup.sh lint python
	$(STEP) "the Rust code is not formatted; run make fmt" cargo fmt --all --check
	$(STEP) "clippy has found something" \
	    cargo clippy --locked --workspace --all-targets -- -D warnings
	$(STEP) "clippy has found something in jumper-session without record" \
	    cargo clippy --locked -p jumper-session --no-default-features -- -D warnings
	$(STEP) "clippy has found something in jumper-cli without record" \
	    cargo clippy --locked -p jumper-cli --no-default-features -- -D warnings
	$(STEP) "the documentation has warnings" \
	    env RUSTDOCFLAGS=-Dwarnings cargo doc --locked --no-deps --workspace
	$(STEP) "a crate depends on one that it must not" sh scripts/check-layers.sh

lint-python: venv
	$(STEP) "ruff has found something" $(VENV)/bin/ruff check $(PYTHON_CODE)
	$(STEP) "the Python code is not formatted; run make fmt" \
	    $(VENV)/bin/ruff format --check $(PYTHON_CODE)
	$(STEP) "mypy has found something" $(VENV)/bin/python -m mypy --strict $(TYPED_CODE)

bench: rust ## Run the benchmarks
	$(STEP) "the benchmarks failed" cargo bench --locked -p jumper-benches

bench-stacks: rust ## Compare with other profilers; ARGS="--quick --only PATTERN" (benches/README.md)
	@sh scripts/setup.sh python
	@sh scripts/venv.sh $(COMPARE_VENV) benches/compare/requirements.txt
	$(STEP) "the command does not build" cargo build --release --locked -p jumper-cli
	$(STEP) "not everything could be compared" env PYTHONPATH=benches \
	    $(COMPARE_VENV)/bin/python -m compare --jumper $(JUMPER) --venv $(COMPARE_VENV) $(ARGS)

bench-session: rust ## Measure what sessions cost, beside pyinstrument; ARGS="--rounds N" (benches/README.md)
	@sh scripts/setup.sh python
	@sh scripts/venv.sh $(COMPARE_VENV) benches/compare/requirements.txt
	$(STEP) "the command does not build" cargo build --release --locked -p jumper-cli
	$(STEP) "the example does not build" \
	    cargo build --release --locked -p jumper-benches --example session_cost
	$(STEP) "not everything could be measured" env PYTHONPATH=benches \
	    $(COMPARE_VENV)/bin/python -m compare.session --jumper $(JUMPER) --venv $(COMPARE_VENV) \
	    --session-cost "$(CARGO_TARGET_DIR)/release/examples/session_cost" $(ARGS)

bench-metrics: rust ## Measure what resources cost to measure, and how true they are; ARGS="--only truth" (benches/README.md)
	@sh scripts/setup.sh python
	@sh scripts/venv.sh $(COMPARE_VENV) benches/compare/requirements.txt
	$(STEP) "the example does not build" \
	    cargo build --release --locked -p jumper-sampler --example metrics
	$(STEP) "not everything could be measured" env PYTHONPATH=benches \
	    $(COMPARE_VENV)/bin/python -m compare.metrics --venv $(COMPARE_VENV) \
	    --metrics "$(CARGO_TARGET_DIR)/release/examples/metrics" $(ARGS)

bench-render: rust ## Measure what reports cost, beside pyinstrument; ARGS="--rounds N" (benches/README.md)
	@sh scripts/setup.sh python
	@sh scripts/venv.sh $(COMPARE_VENV) benches/compare/requirements.txt
	$(STEP) "the command does not build" cargo build --release --locked -p jumper-cli
	$(STEP) "not everything could be measured" env PYTHONPATH=benches \
	    $(COMPARE_VENV)/bin/python -m compare.render --jumper $(JUMPER) --venv $(COMPARE_VENV) $(ARGS)

gallery: rust ## Make docs/gallery.md with its pictures (needs Chromium, which it installs where it can)
	@sh scripts/setup.sh python
	$(STEP) "the command does not build" cargo build --release --locked -p jumper-cli
	$(STEP) "the gallery could not be made" sh scripts/gallery.sh $(JUMPER)

wheel: rust venv ## Build the Python wheel
	$(STEP) "the wheel does not build" \
	    $(VENV)/bin/maturin build --release --locked --out "$(CARGO_TARGET_DIR)/wheels"

fmt: rust venv ## Format the Rust and Python code
	@sh scripts/setup.sh lint
	cargo fmt --all
	$(VENV)/bin/ruff format $(PYTHON_CODE)

clean: ## Remove everything that make has built
	cargo clean
	rm -rf $(VENV) $(COMPARE_VENV) demo .mypy_cache .pytest_cache .ruff_cache

rust:
	@sh scripts/setup.sh rust

venv:
	@sh scripts/setup.sh python
	@sh scripts/venv.sh $(VENV)
