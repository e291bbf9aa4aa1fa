# Tasks of this project. `make help` lists them; `make check test` is what CI runs.

CARGO ?= cargo

.DEFAULT_GOAL := help
.PHONY: help build check check-format check-lints check-docs check-versions fix test bench clean

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build the command line: target/release/portalloc
	$(CARGO) build --release --locked

check: check-format check-lints check-docs check-versions ## Everything that needs no run: format, lints, docs, versions

check-format:
	$(CARGO) fmt --all --check

check-lints:
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

check-docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items --locked

check-versions:
	python3 .ci/check-versions

fix: ## Format, and mend what the linter can mend by itself
	$(CARGO) fmt --all
	$(CARGO) clippy --workspace --all-targets --fix --allow-dirty --allow-staged

test: ## Run all tests
	$(CARGO) test --workspace --locked

bench: ## Measure: what portalloc costs beside its bare system calls
	$(CARGO) build --release --locked -p portalloc-cli -p portalloc-bench
	./target/release/portalloc-bench $(BENCH)
	@printf 'release binary: %s bytes (at most 2000000)\n' "$$(stat -c %s target/release/portalloc)"

clean: ## Remove what builds have made
	$(CARGO) clean
