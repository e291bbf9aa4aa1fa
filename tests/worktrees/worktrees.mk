# Several worktrees of examples/worktrees at once, with real programs. Part of the Makefile.

.PHONY: test-worktrees test-worktrees-long

WORKTREES := target/worktrees
# The tests run the example as an unprivileged user, who may not enter the directory of root's own Python.
WORKTREES_PYTHON := $(or $(wildcard /usr/bin/python3),$(PYTHON))

# Not `npm ci`, for the reason above.
$(WORKTREES)/ready: examples/worktrees/package-lock.json examples/worktrees/requirements.txt | python-tools
	rm -rf $(WORKTREES)
	mkdir -p $(WORKTREES)
	cp examples/worktrees/package.json examples/worktrees/package-lock.json $(WORKTREES)
	$(NPM) install --prefix $(WORKTREES) --no-save --no-audit --no-fund
	$(WORKTREES_PYTHON) -m venv --without-pip $(WORKTREES)/venv
	$(VENV)/bin/python -m pip --python $(WORKTREES)/venv/bin/python install -q --disable-pip-version-check \
		-r examples/worktrees/requirements.txt
	touch $@

# Not among the development tools: 190 MB. Whoever cannot have them sees their tests skipped; CI must have them.
$(WORKTREES)/tools/ready: tests/worktrees/tools/package.json $(WORKTREES)/ready
	rm -rf $(WORKTREES)/tools
	mkdir -p $(WORKTREES)/tools
	cp $< $(WORKTREES)/tools/package.json
	-$(NPM) install --prefix $(WORKTREES)/tools --no-package-lock --ignore-scripts --no-audit --no-fund
	$(WORKTREES_PYTHON) -m venv --without-pip $(WORKTREES)/tools/tox
	-$(VENV)/bin/python -m pip --python $(WORKTREES)/tools/tox/bin/python install -q --disable-pip-version-check tox==4.67.13
	touch $@

TEST_WORKTREES = PORTALLOC_CLI='$(abspath $(or $(CARGO_TARGET_DIR),target))/release/portalloc' \
	PORTALLOC_WORKTREES='$(abspath $(WORKTREES))' $(AT_A_DESK) $(VENV)/bin/python -m pytest tests/worktrees --durations=15

test-worktrees: build python-installed $(NODE_TOOLS) $(WORKTREES)/ready $(WORKTREES)/tools/ready ## Worktrees at once: Vite, Flask, PostgreSQL, redis, nginx, tmux
	$(TEST_WORKTREES)

test-worktrees-long: build python-installed $(NODE_TOOLS) $(WORKTREES)/ready $(WORKTREES)/tools/ready ## The same, and `down` beside `exec` and `env` 1,000 times
	ROUNDS=1000 $(TEST_WORKTREES)
