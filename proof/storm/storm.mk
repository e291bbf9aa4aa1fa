# The storm and its workers in every language. Part of the Makefile, after the parts of the languages.

.PHONY: storm test-storm storm-workers

KILLS ?= 100000
STORM := target/storm
STORM_RUN = STORM_CLI='$(INSTALLED)/bin/portalloc' \
	STORM_C='$(abspath $(STORM)/worker-c)' \
	STORM_GO='$(abspath $(STORM)/worker-go)' \
	STORM_PYTHON='$(abspath $(VENV))/bin/python' \
	STORM_NODE='$(abspath bindings-node/index.mjs)' \
	STORM_CLOCK='$(abspath $(STORM)/clock.so)' \
	$(or $(CARGO_TARGET_DIR),target)/release/portalloc-storm $(if $(SEED),--seed $(SEED))
STORM_FAULTS := full-disk,descriptors,removed-registry,truncated-ports,clock-steps

storm-workers: python-installed node-built installed go-library
	mkdir -p $(STORM)
	$(CARGO) build --release --locked -p portalloc-storm
	$(CC) -O2 -Wall -Wextra -Werror -o $(STORM)/worker-c proof/storm/workers/worker.c \
		$$(PKG_CONFIG_PATH='$(INSTALLED)/lib/pkgconfig' pkg-config --cflags --libs portalloc-static)
	$(CC) -O2 -Wall -Wextra -Werror -shared -fPIC -o $(STORM)/clock.so proof/storm/clock.c
	cd proof/storm/workers/go && CGO_ENABLED=1 $(GO) build -o '$(abspath $(STORM)/worker-go)' .

test-storm: storm-workers ## Every language's processes, killed at random instants: a short storm
	timeout 1800 env $(STORM_RUN) --kills 2000 --epoch 500
	timeout 1800 env $(STORM_RUN) --kills 300 --epoch 100 --faults $(STORM_FAULTS)

storm: storm-workers ## The same for long: KILLS=100000, SEED=
	$(STORM_RUN) --kills $(KILLS) --json $(STORM)/storm.json
	$(STORM_RUN) --kills $$(($(KILLS) / 20)) --faults $(STORM_FAULTS) --json $(STORM)/faults.json
