# The Go package. Part of the Makefile, after bindings-c/install.mk; it works from the repository's root by itself, too:
# make -f go/go.mk test-go

CARGO ?= cargo
GO ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: go-library go-tools check-go test-go bench-go

# What users have: the library, installed. Below target/, so that nothing of the machine's is used or changed.
GO_PREFIX := $(abspath $(or $(CARGO_TARGET_DIR),target))/go
# CGO_LDFLAGS: Go's cache does not notice that the library has moved, but it notices a change of this.
GO_RUN = cd go && PKG_CONFIG_PATH='$(GO_PREFIX)/lib/pkgconfig' CGO_ENABLED=1 CGO_LDFLAGS='-O2 -g -L$(GO_PREFIX)/lib'

GO_SOURCES := go tests/languages proof bench

go-tools:
	@command -v $(GO) >/dev/null || { echo 'no $(GO) here: the Go part needs Go 1.24 or newer' >&2; exit 1; }
	@command -v pkg-config >/dev/null || { echo 'no pkg-config here: the Go part needs it' >&2; exit 1; }

go-library: go-tools
	$(MAKE) -s -f bindings-c/install.mk install PREFIX='$(GO_PREFIX)' DESTDIR=

check-go: go-library ## Format, vet and staticcheck of the Go part
	@test -z "$$(gofmt -l $(GO_SOURCES))" || { gofmt -d $(GO_SOURCES); exit 1; }
	$(GO_RUN) $(GO) vet ./...
	$(GO_RUN) $(GO) run $(STATICCHECK) ./...

# -count=1, because Go does not see when the library has changed. -timeout is for all tests of a package, and names those
# that are running then; the programs of the documentation are built for the first time on a fresh machine.
GO_TEST := $(abspath tests/at-a-desk) $(GO) test -count=1 -timeout 20m

# With the race detector, and with the strictest check of what crosses the border.
test-go: go-library ## The Go package against the installed library: API, test helpers, documentation
	$(GO_RUN) $(GO_TEST) -race -parallel 32 ./...
	$(GO_RUN) GOEXPERIMENT=cgocheck2 $(GO_TEST) ./...

bench-go: go-library ## Measure what a lease costs in Go, beside C in the same run
	$(GO_RUN) $(GO) test -count=1 -run '^$$' -bench . .
