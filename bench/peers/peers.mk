# The comparison with other port pickers. Part of the Makefile. The others are installed by the ordinary clients, into a
# directory below target/; their versions are those of the manifests in bench/peers.

PEERS := target/peers
PEERS_SOURCES := bench/peers
# It has no released version; this is the newest commit that is known here.
PEERS_GO_PORTALLOC := github.com/pigeonworks-llc/go-portalloc
PEERS_GO_PORTALLOC_VERSION ?= 52098246d4e94c45e7111576bb24b622e340e159
PEERS_GO = CGO_ENABLED=1 $(GO)
PEERS_CALL = PEERS_HOME='$(abspath $(PEERS))' \
	PEERS_PORTALLOC_CLI='$(INSTALLED)/bin/portalloc' \
	PEERS_PORTALLOC_NODE='$(abspath bindings-node/index.mjs)'

.PHONY: bench-peers peers-page peers-installed peers-python peers-node peers-rust peers-go peers-c peers-go-portalloc check-peers

bench-peers: peers-installed page-tools ## Measure portalloc beside other port pickers, and write docs/benchmarks.md: PEERS_RUN=--quick
	$(PEERS_CALL) $(PYTHON) $(PEERS_SOURCES)/run.py $(PEERS_RUN)
	$(if $(PEERS_RUN),,mkdir -p docs/benchmarks && cp $(PEERS)/results.json docs/benchmarks/peers.json && \
		$(MAKE) --no-print-directory peers-page)

peers-page: page-tools # The page and its pictures, again from the figures of the last full run
	PYTHONPATH=bench/page $(PAGE_VENV)/bin/python $(PEERS_SOURCES)/page.py

check-peers: python-tools # Formats, lints, types and the judge's tests; `go vet` and clippy need the peers
	$(VENV)/bin/ruff format --check $(PEERS_SOURCES)
	$(VENV)/bin/ruff check $(PEERS_SOURCES)
	cd $(PEERS_SOURCES) && MYPYPATH=../page ../../$(VENV)/bin/mypy --config-file ../../pyproject.toml \
		--follow-imports=silent *.py
	cd $(PEERS_SOURCES)/python && MYPYPATH=../../../bindings-python/python ../../../$(VENV)/bin/mypy --config-file ../../../pyproject.toml worker.py allocators.py
	$(VENV)/bin/python -m pytest -q $(PEERS_SOURCES)
	$(CARGO) fmt --check --manifest-path $(PEERS_SOURCES)/rust/Cargo.toml

peers-installed: peers-python peers-node peers-rust peers-go peers-c peers-go-portalloc

peers-python: python-installed
	$(PYTHON) -m venv $(PEERS)/python
	$(PEERS)/python/bin/python -m pip install -q --disable-pip-version-check -r $(PEERS_SOURCES)/python/requirements.txt
	$(PEERS)/python/bin/python -m pip install -q --disable-pip-version-check --force-reinstall --no-deps \
		$(WHEELS)/portalloc-*.whl

# Copied, because Node looks for packages from where the importing file is.
peers-node: node-built
	mkdir -p $(PEERS)/node
	cp $(PEERS_SOURCES)/node/* $(PEERS)/node/
	cd $(PEERS)/node && $(NPM) install --no-save --no-audit --no-fund --silent

peers-rust:
	CARGO_TARGET_DIR=$(PEERS)/rust $(CARGO) build --release --manifest-path $(PEERS_SOURCES)/rust/Cargo.toml

peers-go: go-library
	cd $(PEERS_SOURCES)/go && $(PEERS_GO) build -o '$(abspath $(PEERS))/bin/peers-go' ./portalloc

peers-c: installed
	mkdir -p $(PEERS)/bin
	$(CC) -std=gnu11 -O2 -Wall -Wextra -o $(PEERS)/bin/peers-c $(PEERS_SOURCES)/c/worker.c \
		$$(PKG_CONFIG_PATH='$(INSTALLED)/lib/pkgconfig' pkg-config --cflags --libs portalloc-static)

# The one that not every module proxy has: without it the rest is measured all the same, and the page says so.
peers-go-portalloc: go-tools
	mkdir -p $(PEERS)/bin
	rm -f $(PEERS)/bin/go-portalloc
	cp $(PEERS_SOURCES)/go/go-portalloc/go.mod $(PEERS)/go-portalloc.mod
	cd $(PEERS_SOURCES)/go/go-portalloc && { \
		$(GO) get -modfile='$(abspath $(PEERS))/go-portalloc.mod' \
			$(PEERS_GO_PORTALLOC)/cmd/go-portalloc@$(PEERS_GO_PORTALLOC_VERSION) && \
		$(PEERS_GO) build -modfile='$(abspath $(PEERS))/go-portalloc.mod' \
			-o '$(abspath $(PEERS))/bin/peers-go-portalloc' . && \
		$(GO) build -modfile='$(abspath $(PEERS))/go-portalloc.mod' \
			-o '$(abspath $(PEERS))/bin/go-portalloc' $(PEERS_GO_PORTALLOC)/cmd/go-portalloc; \
	} 2> '$(abspath $(PEERS))/go-portalloc.log' || { \
		echo 'go-portalloc is not to be had here, and left out:'; cat '$(abspath $(PEERS))/go-portalloc.log'; }
