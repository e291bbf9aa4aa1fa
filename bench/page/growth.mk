# Cost as work grows: the measurement, and the page that is drawn from it. Part of the Makefile, after page.mk.

.PHONY: bench-growth growth-page

bench-growth: page-tools ## Measure what work costs as there is more of everything, and write docs/scaling.md
	$(CARGO) build --release --locked -p portalloc-cli -p portalloc-bench
	mkdir -p docs/scaling
	$(or $(CARGO_TARGET_DIR),target)/release/portalloc-bench growth --json docs/scaling/growth.json $(GROWTH)
	$(PAGE_VENV)/bin/python -B bench/page/growth.py

growth-page: page-tools # The page again, without measuring
	$(PAGE_VENV)/bin/python -B bench/page/growth.py
