# The crowd and the thieves. Part of the Makefile, after its rules for the packages of all languages.

.PHONY: crowd thieves test-crowd crowd-built contenders

CROWD_LEASES ?= 10000000
CROWD_BUILT := $(or $(CARGO_TARGET_DIR),target)/release/portalloc-crowd
CONTENDERS := target/languages
CROWD = PORTALLOC_PYTHON='$(abspath $(VENV))/bin/python' \
	PORTALLOC_NODE='$(abspath bindings-node/index.mjs)' \
	PORTALLOC_C_CONTENDER='$(abspath $(CONTENDERS)/contend-c)' \
	PORTALLOC_GO_CONTENDER='$(abspath $(CONTENDERS)/contend-go)' \
	$(CROWD_BUILT)

crowd: contenders crowd-built ## Prove: 10^7 leases by all languages and two users (as root), CROWD_LEASES=10000000
	$(CROWD) control
	$(CROWD) leases --total $(CROWD_LEASES) --json target/crowd.json

thieves: crowd-built ## Prove: who can steal a leased port, with and without a guard, as a table
	$(CROWD_BUILT) thieves --json target/thieves.json

test-crowd: contenders crowd-built ## A short crowd of all languages, and two users if root: 100,000 leases
	timeout 1800 env $(CROWD) leases --total 100000

crowd-built:
	$(CARGO) build --release --locked -p portalloc-crowd

contenders: python-installed node-built installed go-library
	mkdir -p $(CONTENDERS)
	$(CC) -O2 -Wall -Wextra -o $(CONTENDERS)/contend-c tests/languages/contend.c \
		$$(PKG_CONFIG_PATH='$(INSTALLED)/lib/pkgconfig' pkg-config --cflags --libs portalloc-static)
	cd tests/languages/go && CGO_ENABLED=1 $(GO) build -o '$(abspath $(CONTENDERS))/contend-go' .
