# Tasks of this project. `make help` lists them; `make check test` is what CI runs.

CARGO ?= cargo
PYTHON ?= python3
NPM ?= npm

.DEFAULT_GOAL := help
.PHONY: help build check test fix bench clean
.PHONY: check-rust check-targets check-python test-rust test-python stubs wheel python-tools python-installed
.PHONY: node-built node-runtimes check-node test-node test-languages test-proof

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build the command line: target/release/portalloc
	$(CARGO) build --release --locked

check: check-rust check-targets check-floors check-c check-go check-python check-node check-peers check-fuzz check-versions check-typos check-deny check-msrv check-api check-workflows ## Everything that needs no run: format, lints, types, docs, generated files

test: test-rust test-python test-node test-go test-action test-publish test-languages test-worktrees test-proof ## Run all tests

fix: ## Format, and mend what the linters can mend by themselves
	$(CARGO) fmt --all
	$(CARGO) clippy --workspace --all-targets --fix --allow-dirty --allow-staged
	$(MAKE) python-tools
	$(VENV)/bin/ruff format $(PYTHON_SOURCES)
	$(VENV)/bin/ruff check --fix $(PYTHON_SOURCES)

# Before every runner of tests.
AT_A_DESK := $(abspath tests/at-a-desk)

# --- Rust: the core and the command line

check-rust: ## Format, clippy and rustdoc
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items --locked

check-targets: ## The core and the bindings can be built for macOS and Windows, on which they do not run yet
	CARGO='$(CARGO)' .ci/check-targets

include tests/nextest.mk

# The examples in the documentation of the code are two, and nextest runs none. libtest names whoever takes a minute.
test-rust: $(NEXTEST_PROGRAM) ## The core, the command line, the documentation's commands, tests with many processes
	$(NEXTEST) --workspace
	PORTALLOC_DIR='$(abspath target/doc-tests)' timeout 600 tests/at-a-desk $(CARGO) test --workspace --locked --doc

# --- C and C++: the library, its headers, and `make install`. Its tests are part of test-rust.

include bindings-c/install.mk

# --- Go: the package, with and without cgo

include go/go.mk

# --- Python: the wheel. All of its tools live in a virtual environment below target/.

VENV := target/python
PYTHON_SOURCES := .ci bindings-python bench examples packages tests/languages tests/worktrees proof
WHEELS := target/wheels
BUILD_STUBS := $(VENV)/bin/maturin generate-stubs -q --locked -m bindings-python/Cargo.toml --features stubs --profile dev

python-tools: $(VENV)/ready

$(VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install -q --disable-pip-version-check --upgrade pip
	$(VENV)/bin/python -m pip install -q --group dev
	touch $@

# Other versions of pytest, for the plugin's tests: the last ones that it refuses, the first one that it takes, and those
# after which the configuration is read in another way.
.PHONY: pytests
PYTESTS := 6.2.5 7.2.2 7.3.0 8.3.5 9.0.0

pytests: $(PYTESTS:%=target/pytests/%/ready)

target/pytests/%/ready: | python-tools
	$(PYTHON) -m venv --without-pip $(@D)
	$(VENV)/bin/python -m pip --python $(@D)/bin/python install -q --disable-pip-version-check pytest==$*
	touch $@

wheel: ## Build the wheel into target/wheels, as `pip install .` does
	rm -rf $(WHEELS)
	MATURIN_PEP517_ARGS=--locked $(PYTHON) -m pip wheel -q --disable-pip-version-check --no-deps -w $(WHEELS) .

# What users get: the wheel, not the folder.
python-installed: python-tools wheel
	$(VENV)/bin/python -m pip install -q --force-reinstall --no-deps $(WHEELS)/portalloc-*.whl

stubs: python-tools ## Generate the Python stubs from the Rust code
	$(BUILD_STUBS) --out target/stubs
	$(VENV)/bin/python bindings-python/stubs.py target/stubs/portalloc/_portalloc.pyi
	cp target/stubs/portalloc/_portalloc.pyi bindings-python/python/portalloc/

check-python: python-tools ## Format, lints, types and stubs of the Python part
	$(VENV)/bin/ruff format --check $(PYTHON_SOURCES)
	$(VENV)/bin/ruff check $(PYTHON_SOURCES)
	$(BUILD_STUBS) --out target/stubs
	$(VENV)/bin/python bindings-python/stubs.py target/stubs/portalloc/_portalloc.pyi
	diff -u bindings-python/python/portalloc/_portalloc.pyi target/stubs/portalloc/_portalloc.pyi
	$(VENV)/bin/mypy
	$(VENV)/bin/mypy --explicit-package-bases bindings-python/tests/*.py bindings-python/tests/api bindings-python/tests/docs
	MYPYPATH=bindings-python/tests/plugin $(VENV)/bin/mypy bindings-python/tests/plugin
	$(VENV)/bin/mypy tests/worktrees
	$(VENV)/bin/mypy --python-version 3.11 -p packages
	$(VENV)/bin/pyright -p . --warnings

test-python: python-installed pytests ## The wheel, installed: API, pytest plugin, documentation
	cd bindings-python/tests && ../../$(VENV)/bin/python -m mypy.stubtest portalloc
	$(AT_A_DESK) $(VENV)/bin/python -m pytest bindings-python/tests

# --- Node: the addon and the helpers for its test runners

NODE_TOOLS := node_modules/.package-lock.json

# Not `npm ci`: it refuses the lock file wherever a registry lacks some package for another platform.
$(NODE_TOOLS): package.json package-lock.json
	$(NPM) install --no-save --no-audit --no-fund
	touch $@

node-built: $(NODE_TOOLS)
	$(NPM) run --silent build

# Not among the development tools: 200 MB. Whoever cannot have them sees their tests skipped; CI must have them.
RUNTIMES := target/runtimes

node-runtimes: $(RUNTIMES)/ready

$(RUNTIMES)/ready: bindings-node/tests/runtimes/package.json
	mkdir -p $(RUNTIMES)
	cp $< $(RUNTIMES)/package.json
	-$(NPM) install --prefix $(RUNTIMES) --no-package-lock --no-audit --no-fund
	if [ -e $(RUNTIMES)/node_modules/@oven ] && [ -e $(RUNTIMES)/node_modules/@deno ]; then touch $@; fi

check-node: $(NODE_TOOLS) ## Lints and types of the Node part, and generated files
	$(NPM) run --silent check

test-node: node-built node-runtimes ## The Node package: API, Jest, Vitest and other runners, documentation
	$(AT_A_DESK) $(NPM) run --silent test

# --- The action for GitHub's runners

include action/action.mk

# --- The project as a whole: versions, floors, spelling, dependencies, the oldest Rust, the public API

include .ci/checks.mk

# --- All languages at once

test-languages: contenders $(NEXTEST_PROGRAM) ## Every language contends for one small pool
	PORTALLOC_CLI='$(INSTALLED)/bin/portalloc' \
	PORTALLOC_PYTHON='$(abspath $(VENV))/bin/python' \
	PORTALLOC_NODE='$(abspath bindings-node/index.mjs)' \
	PORTALLOC_C_CONTENDER='$(abspath target/languages/contend-c)' \
	PORTALLOC_GO_CONTENDER='$(abspath target/languages/contend-go)' \
		$(NEXTEST) -p portalloc-tests --test languages --run-ignored only

# --- Proofs: hunts that go on for as long as one lets them, and a short form of each for `make test`

include proof/model/model.mk
include proof/storm/storm.mk
include proof/crowd/crowd.mk
include proof/fuzz/fuzz.mk

include tests/steps/steps.mk

include tests/parents/parents.mk

include tests/worktrees/worktrees.mk

test-proof: test-storm test-crowd test-fuzz ## The short form of every hunt; that of the model is part of test-rust

# --- What strangers install

include packages/packages.mk

# --- Pages of figures

include bench/page/page.mk
include bench/page/growth.mk
include bench/peers/peers.mk

# --- All

# What the archives have: starts in half the time of a command that needs a dynamic linker.
STATIC_TARGET := $(shell uname -m)-unknown-linux-musl

bench: python-installed node-built installed ## Measure: what portalloc costs beside its bare system calls, and its bindings beside the core
	$(CARGO) build --release --locked -p portalloc-cli -p portalloc-bench
	rustup target add $(STATIC_TARGET)
	$(CARGO) build --profile command --locked -p portalloc-cli --target $(STATIC_TARGET)
	PORTALLOC_BENCH_COMMAND='$(CURDIR)/target/$(STATIC_TARGET)/command/portalloc' ./target/release/portalloc-bench $(BENCH)
	@printf 'release binary: %s bytes (at most 2500000)\n' \
		"$$(stat -c %s target/$(STATIC_TARGET)/command/portalloc)"
	$(VENV)/bin/python bench/python/bench.py
	$(NPM) run --silent bench -- target/release/portalloc-bench
	$(CC) -O2 -Wall -Wextra -o target/bench-c bench/c/lease.c \
		$$(PKG_CONFIG_PATH='$(INSTALLED)/lib/pkgconfig' pkg-config --cflags --libs portalloc-static)
	./target/bench-c ./target/release/portalloc-bench
	$(MAKE) --no-print-directory bench-go

clean: ## Remove what builds have made
	$(CARGO) clean
