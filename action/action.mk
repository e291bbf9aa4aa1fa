# The action for GitHub's runners. Part of the Makefile.

.PHONY: test-action

# --require gives each test a time limit of its own.
test-action: build ## The GitHub Action: install, checksum, environment, post step
	PORTALLOC_CLI='$(abspath $(or $(CARGO_TARGET_DIR),target))/release/portalloc' $(AT_A_DESK) \
		node --require=./bindings-node/tests/limit.js --test-reporter=spec --test action/tests/*.test.js
