# The library for C and C++, and all else that belongs below a prefix. Part of the Makefile; works from the repository's
# root by itself, too: make -f bindings-c/install.mk install

CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=
INSTALL ?= install

.PHONY: install installed uninstall check-headers check-c test-c

C_BUILT := $(or $(CARGO_TARGET_DIR),target)/release
C_VERSION := $(shell sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
C_MAJOR := $(word 1,$(subst ., ,$(C_VERSION)))
C_MINOR := $(word 2,$(subst ., ,$(C_VERSION)))
# As build.rs has it: 0.x promises nothing to 0.y.
C_SOVERSION := $(if $(filter 0,$(C_MAJOR)),$(C_MAJOR).$(C_MINOR),$(C_MAJOR))
C_FULL := $(C_MAJOR).$(C_MINOR)

# What is installed, below the prefix; uninstall removes no other.
C_FILES := bin/portalloc include/portalloc.h include/portalloc.hpp lib/libportalloc.a lib/libportalloc.so \
	lib/libportalloc.so.$(C_SOVERSION) lib/libportalloc.so.$(C_FULL) \
	lib/pkgconfig/portalloc.pc lib/pkgconfig/portalloc-static.pc \
	lib/cmake/portalloc/portalloc-config.cmake lib/cmake/portalloc/portalloc-config-version.cmake \
	share/man/man1/portalloc.1 share/bash-completion/completions/portalloc \
	share/zsh/site-functions/_portalloc share/fish/vendor_completions.d/portalloc.fish

C_TO = $(DESTDIR)$(PREFIX)
C_FILLED = sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@VERSION@|$(C_VERSION)|g' -e 's|@FULL@|$(C_FULL)|g' \
	-e 's|@SOVERSION@|$(C_SOVERSION)|g'

install: ## Install command, library, headers, manual page and completions: PREFIX=/usr/local, DESTDIR=
	@case '$(PREFIX)' in (/*) ;; (*) echo 'PREFIX must begin with /: $(PREFIX)' >&2; exit 2;; esac
	$(CARGO) build --release --locked -p portalloc-c -p portalloc-cli
	mkdir -p '$(C_TO)'
	cd '$(C_TO)' && mkdir -p $(sort $(dir $(C_FILES)))
	$(INSTALL) -m 755 $(C_BUILT)/portalloc '$(C_TO)/bin/portalloc'
	$(INSTALL) -m 644 bindings-c/include/portalloc.h bindings-c/include/portalloc.hpp '$(C_TO)/include'
	$(INSTALL) -m 644 $(C_BUILT)/libportalloc.a '$(C_TO)/lib/libportalloc.a'
	$(INSTALL) -m 755 $(C_BUILT)/libportalloc.so '$(C_TO)/lib/libportalloc.so.$(C_FULL)'
	$(if $(filter $(C_FULL),$(C_SOVERSION)),,ln -sf libportalloc.so.$(C_FULL) '$(C_TO)/lib/libportalloc.so.$(C_SOVERSION)')
	ln -sf libportalloc.so.$(C_SOVERSION) '$(C_TO)/lib/libportalloc.so'
	$(C_FILLED) bindings-c/pkgconfig/portalloc.pc.in > '$(C_TO)/lib/pkgconfig/portalloc.pc'
	$(C_FILLED) bindings-c/pkgconfig/portalloc-static.pc.in > '$(C_TO)/lib/pkgconfig/portalloc-static.pc'
	$(C_FILLED) bindings-c/cmake/portalloc-config.cmake.in > '$(C_TO)/lib/cmake/portalloc/portalloc-config.cmake'
	$(C_FILLED) bindings-c/cmake/portalloc-config-version.cmake.in \
		> '$(C_TO)/lib/cmake/portalloc/portalloc-config-version.cmake'
	$(C_BUILT)/portalloc man > '$(C_TO)/share/man/man1/portalloc.1'
	$(C_BUILT)/portalloc completions bash > '$(C_TO)/share/bash-completion/completions/portalloc'
	$(C_BUILT)/portalloc completions zsh > '$(C_TO)/share/zsh/site-functions/_portalloc'
	$(C_BUILT)/portalloc completions fish > '$(C_TO)/share/fish/vendor_completions.d/portalloc.fish'

# What users have, for all that runs the command or links the library: below target/, so that nothing of the machine's is
# used or changed.
INSTALLED := $(abspath $(or $(CARGO_TARGET_DIR),target))/installed

installed:
	$(MAKE) -s -f bindings-c/install.mk install PREFIX='$(INSTALLED)' DESTDIR=

uninstall: ## Remove what `make install` with the same PREFIX and DESTDIR has put there
	cd '$(C_TO)' && rm -f $(C_FILES)
	-rmdir '$(C_TO)/lib/cmake/portalloc'

# Compiled from nothing but the header, and included twice.
C_STRICT := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fsyntax-only -I bindings-c/include

check-headers: # The headers as C11, C++17 and C++20, without a warning
	printf '#include <portalloc.h>\n#include <portalloc.h>\n' | $(CC) -std=c11 $(C_STRICT) -x c -
	printf '#include <portalloc.h>\n#include <portalloc.hpp>\n#include <portalloc.hpp>\n' | \
		$(CXX) -std=c++17 $(C_STRICT) -x c++ -
	printf '#include <portalloc.hpp>\n' | $(CXX) -std=c++20 $(C_STRICT) -x c++ -

check-c: check-headers ## The headers: no warning, and the generated one is that of the code
	$(CARGO) test -p portalloc-c --locked --test header

# The root Makefile has it already.
ifndef NEXTEST
include tests/nextest.mk
endif

test-c: $(NEXTEST_PROGRAM) ## The library as C and C++ see it, valgrind and sanitizers included
	$(NEXTEST) -p portalloc-c
