# The library for C and C++, the command, and where both are installed. Part of the Makefile; works from the repository's
# root by itself, too: make -f bindings-c/install.mk install

CARGO ?= cargo
DESTDIR ?=
INSTALL ?= install

# GNU's directories, and those of completions. PREFIX is another name of prefix.
PREFIX ?= /usr/local
prefix = $(PREFIX)
exec_prefix = $(prefix)
bindir = $(exec_prefix)/bin
libdir = $(exec_prefix)/lib
includedir = $(prefix)/include
datarootdir = $(prefix)/share
mandir = $(datarootdir)/man
bashcompletiondir = $(datarootdir)/bash-completion/completions
fishcompletiondir = $(datarootdir)/fish/vendor_completions.d
zshcompletiondir = $(datarootdir)/zsh/site-functions

.PHONY: install install-library install-command installed uninstall check-headers check-c test-c

# Whoever has built the library for another machine says where, and installs it with `install-library`.
C_BUILT = $(or $(CARGO_TARGET_DIR),target)/release
C_VERSION := $(shell sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
C_MAJOR := $(word 1,$(subst ., ,$(C_VERSION)))
C_MINOR := $(word 2,$(subst ., ,$(C_VERSION)))
# As build.rs has it: 0.x promises nothing to 0.y.
C_SOVERSION := $(if $(filter 0,$(C_MAJOR)),$(C_MAJOR).$(C_MINOR),$(C_MAJOR))
C_FULL := $(C_MAJOR).$(C_MINOR)

# What the files of pkg-config and CMake say. In the usual layout CMake's lead from themselves to the headers, so that the
# installed directory can be moved; with C_PC_PREFIX=$${pcfiledir}/../.. those of pkg-config do, too.
C_PC_PREFIX = $(prefix)
ifeq ($(libdir) $(includedir),$(prefix)/lib $(prefix)/include)
C_PC_LIBDIR = $${prefix}/lib
C_PC_INCLUDEDIR = $${prefix}/include
C_CMAKE_INCLUDEDIR = $${CMAKE_CURRENT_LIST_DIR}/../../../include
else
C_PC_LIBDIR = $(libdir)
C_PC_INCLUDEDIR = $(includedir)
C_CMAKE_INCLUDEDIR = $(includedir)
endif
C_FILLED = sed -e 's|@PREFIX@|$(C_PC_PREFIX)|g' -e 's|@LIBDIR@|$(C_PC_LIBDIR)|g' \
	-e 's|@INCLUDEDIR@|$(C_PC_INCLUDEDIR)|g' -e 's|@CMAKE_INCLUDEDIR@|$(C_CMAKE_INCLUDEDIR)|g' \
	-e 's|@VERSION@|$(C_VERSION)|g' -e 's|@FULL@|$(C_FULL)|g' -e 's|@SOVERSION@|$(C_SOVERSION)|g'

# Where the files go. `uninstall` removes these and no others.
C_BIN = $(DESTDIR)$(bindir)
C_LIB = $(DESTDIR)$(libdir)
C_INCLUDE = $(DESTDIR)$(includedir)
C_MAN = $(DESTDIR)$(mandir)/man1
C_BASH = $(DESTDIR)$(bashcompletiondir)
C_FISH = $(DESTDIR)$(fishcompletiondir)
C_ZSH = $(DESTDIR)$(zshcompletiondir)

install: ## Install command, library, headers, manual page and completions: PREFIX=/usr/local, DESTDIR=, libdir=, ...
	@case '$(prefix)' in (/*) ;; (*) echo 'PREFIX must begin with /: $(prefix)' >&2; exit 2;; esac
	$(CARGO) build --release --locked -p portalloc-c -p portalloc-cli
	$(MAKE) --no-print-directory -f bindings-c/install.mk install-library install-command

# What users have, for all that runs the command or links the library: below target/, so that nothing of the machine's is
# used or changed.
INSTALLED := $(abspath $(or $(CARGO_TARGET_DIR),target))/installed

installed:
	$(MAKE) -s -f bindings-c/install.mk install PREFIX='$(INSTALLED)' DESTDIR=

install-library:
	mkdir -p '$(C_INCLUDE)' '$(C_LIB)/pkgconfig' '$(C_LIB)/cmake/portalloc'
	$(INSTALL) -m 644 bindings-c/include/portalloc.h bindings-c/include/portalloc.hpp '$(C_INCLUDE)'
	$(INSTALL) -m 644 '$(C_BUILT)/libportalloc.a' '$(C_LIB)/libportalloc.a'
	$(INSTALL) -m 755 '$(C_BUILT)/libportalloc.so' '$(C_LIB)/libportalloc.so.$(C_FULL)'
	$(if $(filter $(C_FULL),$(C_SOVERSION)),,ln -sf libportalloc.so.$(C_FULL) '$(C_LIB)/libportalloc.so.$(C_SOVERSION)')
	ln -sf libportalloc.so.$(C_SOVERSION) '$(C_LIB)/libportalloc.so'
	for name in portalloc portalloc-static; do \
		$(C_FILLED) bindings-c/pkgconfig/$$name.pc.in > '$(C_LIB)'/pkgconfig/$$name.pc || exit 1; done
	for name in portalloc-config portalloc-config-version; do \
		$(C_FILLED) bindings-c/cmake/$$name.cmake.in > '$(C_LIB)'/cmake/portalloc/$$name.cmake || exit 1; done

install-command:
	mkdir -p '$(C_BIN)' '$(C_MAN)' '$(C_BASH)' '$(C_FISH)' '$(C_ZSH)'
	$(INSTALL) -m 755 '$(C_BUILT)/portalloc' '$(C_BIN)/portalloc'
	'$(C_BUILT)/portalloc' man > '$(C_MAN)/portalloc.1'
	'$(C_BUILT)/portalloc' completions bash > '$(C_BASH)/portalloc'
	'$(C_BUILT)/portalloc' completions fish > '$(C_FISH)/portalloc.fish'
	'$(C_BUILT)/portalloc' completions zsh > '$(C_ZSH)/_portalloc'

uninstall: ## Remove what `make install` with the same variables has put there
	rm -f '$(C_INCLUDE)/portalloc.h' '$(C_INCLUDE)/portalloc.hpp'
	cd '$(C_LIB)' && rm -f libportalloc.a libportalloc.so libportalloc.so.$(C_SOVERSION) libportalloc.so.$(C_FULL) \
		pkgconfig/portalloc.pc pkgconfig/portalloc-static.pc \
		cmake/portalloc/portalloc-config.cmake cmake/portalloc/portalloc-config-version.cmake
	rm -f '$(C_BIN)/portalloc' '$(C_MAN)/portalloc.1'
	rm -f '$(C_BASH)/portalloc' '$(C_FISH)/portalloc.fish' '$(C_ZSH)/_portalloc'
	-rmdir '$(C_LIB)/cmake/portalloc'

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
