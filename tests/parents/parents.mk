# What depends on who starts it: signals, terminals, death, fork, contention. Part of the Makefile, after the parts of all
# languages.

.PHONY: test-parents parents-suites

WAYS ?= as-it-is nohup background closed-stdin busy

test-parents: python-installed node-built go-library $(NEXTEST_PROGRAM) ## Tests of signals, terminals and processes, under five parents: WAYS="nohup busy"
	tests/parents/run $(WAYS)

# In one way, with everything built. All of them are run, whichever fail. Nothing stands between the parent and the runners
# of Python, Node and Go: their tests must cope by themselves.
parents-suites:
	@status=0; \
	$(NEXTEST) --workspace --profile parents --status-level slow || status=1; \
	$(VENV)/bin/python -m pytest -q $(addprefix bindings-python/tests/api/test_,death.py interrupts.py) || status=1; \
	$(NPM) run --silent test processes || status=1; \
	( $(GO_LINKED) $(GO) test -count=1 -timeout 10m -run "$$(sed -n 's/^func \(Test[A-Za-z]*\).*/\1/p' process_test.go | \
		paste -sd '|')" . ) || status=1; \
	exit $$status
