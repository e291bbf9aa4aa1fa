# The protocol's model. Included by the root Makefile.

.PHONY: model

model: ## Explore the protocol as a state machine, with a crash possible between any two steps
	$(CARGO) run --release --locked -p portalloc-model
