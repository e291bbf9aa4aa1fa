# The Go package. Part of the Makefile; it works from the repository's root by itself, too: make -f go/go.mk test-go

CARGO ?= cargo
GO ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: go-library go-tools check-go test-go bench-go

# With cgo, the library is linked; without, it is loaded. Both are the same to users, and both are tested.
GO_LINKED = cd go && CGO_ENABLED=1
GO_LOADED = cd go && CGO_ENABLED=0

GO_SOURCES := go tests/languages proof bench packages

go-tools:
	@command -v $(GO) >/dev/null || { echo 'no $(GO) here: the Go part needs Go 1.25 or newer' >&2; exit 1; }

# What a released module contains, for this machine.
go-library: go-tools
	$(CARGO) build --release --locked -p portalloc-c
	go/library.sh go/internal/library "$$($(GO) env GOOS)_$$($(GO) env GOARCH)" '$(or $(CARGO_TARGET_DIR),target)/release/libportalloc.a' \
		$(CC) -shared

check-go: go-library ## Format, vet and staticcheck of the Go part
	@test -z "$$(gofmt -l $(GO_SOURCES))" || { gofmt -d $(GO_SOURCES); exit 1; }
	$(GO_LINKED) $(GO) vet ./...
	$(GO_LINKED) $(GO) run $(STATICCHECK) ./...
	$(GO_LOADED) $(GO) vet ./...
	$(GO_LOADED) $(GO) run $(STATICCHECK) ./...
	$(GO_LOADED) $(GO) vet -tags portalloc_static ./internal/bridge

# -timeout is for all tests of a package, and names those that are running then; the programs of the documentation are built
# for the first time on a fresh machine. -count=1, because the tests also depend on the machine.
GO_TEST := $(abspath tests/at-a-desk) $(GO) test -count=1 -timeout 20m

# With the race detector, and with the strictest check of what crosses the border.
test-go: go-library ## The Go package with and without cgo: API, test helpers, documentation
	$(GO_LINKED) $(GO_TEST) -race -parallel 32 ./...
	$(GO_LINKED) GOEXPERIMENT=cgocheck2 $(GO_TEST) ./...
	$(GO_LOADED) $(GO_TEST) ./...

# Without cgo, the loop in C is loaded, too.
GO_FLOOR := $(abspath target)/go-floor.so

bench-go: go-library ## Measure what a lease costs in Go, with and without cgo, beside C in the same run
	$(GO_LINKED) $(GO) test -count=1 -run '^$$' -bench . .
	$(CC) -shared -fPIC -O2 -Wall -Wextra -I go/internal/library -o '$(GO_FLOOR)' go/internal/cfloor/floor.c
	$(GO_LOADED) PORTALLOC_GO_C_FLOOR='$(GO_FLOOR)' $(GO) test -count=1 -run '^$$' -bench . .
