# Coverage-guided fuzzing. Part of the Makefile; it works from the repository's root by itself, too:
# make -f proof/fuzz/fuzz.mk fuzz

CARGO ?= cargo

.PHONY: fuzz test-fuzz check-fuzz

FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?=

fuzz: ## Feed every parser and reader inputs that coverage leads to (FUZZ_SECONDS=60 for each, FUZZ_TARGETS=all)
	CARGO='$(CARGO)' proof/fuzz/run $(FUZZ_SECONDS) $(FUZZ_TARGETS)

# Short, but it begins with all that longer runs have found worth keeping. From one seed, so that a change is not blamed for
# what luck found beside it: that is for `make fuzz`.
test-fuzz: ## The same for a few seconds, after a replay of the corpora
	CARGO='$(CARGO)' FUZZ_SEED=1 timeout 3600 proof/fuzz/run 3

check-fuzz: # Format and clippy of the targets, with the doors that only they see
	cd proof/fuzz && $(CARGO) fmt --check
	cd proof/fuzz && CARGO_TARGET_DIR='$(abspath $(or $(CARGO_TARGET_DIR),target))/fuzz-check' RUSTFLAGS='--cfg fuzzing' \
		$(CARGO) clippy --locked --all-targets -- -D warnings
