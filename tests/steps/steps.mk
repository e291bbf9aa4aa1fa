# Kills and neighbours between any two system calls, and the compiler's own detective. Part of the Makefile.

.PHONY: steps sanitize miri

STEPS ?= 1
HOST = $(shell $(CARGO) -vV | sed -n 's/^host: //p')

# `make test` has every kill, and a sample of the neighbours' moments.
steps: ## Kill, and meddle, before every system call of every operation: an hour or two; STEPS=5 for every fifth
	PORTALLOC_STEPS=$(STEPS) $(CARGO) test --locked -p portalloc-tests --test kills --test neighbours -- --nocapture

# Any compiler has it, behind a switch that is not stable; hence a directory of its own, and the variable.
sanitize: ## The core's tests under AddressSanitizer; C's run under it, UBSan and valgrind in `make test`
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=$(or $(CARGO_TARGET_DIR),target)/sanitized \
		$(CARGO) test --locked --target $(HOST) -p portalloc --lib

# It knows neither locks nor sockets, and of `uname` only a part; so no more than what needs none.
PURE := variables:: id:: environment::summary label:: error:: pool:: time:: request:: random:: given:: border:: \
	who::summary who::sentence who::leaks --skip ids_do_not_repeat

miri: ## The core's pure parts under Miri: rustup toolchain install nightly --component miri,rust-src
	MIRIFLAGS=-Zmiri-disable-isolation PROPTEST_CASES=8 CARGO_TARGET_DIR=$(or $(CARGO_TARGET_DIR),target)/miri \
		$(CARGO) +nightly miri test --locked -p portalloc --lib -- $(PURE)
