# What strangers install. Part of the Makefile; packages/README.md says what is where.

PACKAGE_TOOLS := target/packages
PACKAGE_PYTHON := $(PACKAGE_TOOLS)/bin/python

.PHONY: package-tools dist version rehearse rehearse-short
.PHONY: dist-rust dist-command dist-c test-command-packages test-c-packages

package-tools: $(PACKAGE_TOOLS)/ready

$(PACKAGE_TOOLS)/ready: packages/requirements.txt
	$(PYTHON) -m venv $(PACKAGE_TOOLS)
	$(PACKAGE_PYTHON) -m pip install -q --disable-pip-version-check -r $<
	touch $@

# PLATFORMS='linux-x64-gnu linux-x64-musl' builds these alone.
PACKAGE_PLATFORMS = $(PLATFORMS:%=--platform %)

dist-rust: package-tools
	$(PACKAGE_PYTHON) -m packages.rust.build $(PACKAGE_PLATFORMS)

dist-command: package-tools
	$(PACKAGE_PYTHON) -m packages.command.build $(PACKAGE_PLATFORMS)

dist-c: package-tools
	$(PACKAGE_PYTHON) -m packages.c.build $(PACKAGE_PLATFORMS)

test-command-packages: ## The archives of the command, its .deb and its formula, after `make dist-command`
	$(PACKAGE_PYTHON) -m unittest packages.command.test_command

test-c-packages: ## The archives of the library for C, after `make dist-c`
	$(PACKAGE_PYTHON) -m unittest packages.c.test_c

rehearse: package-tools ## Install dist/ as strangers do, in a chroot, from local registries. Needs root and debootstrap
	$(PACKAGE_PYTHON) -m packages.rehearse $(REHEARSE)

rehearse-short: package-tools ## The short form of it, in fresh directories
	$(PACKAGE_PYTHON) -m packages.rehearse --short $(REHEARSE)

version: ## Change the version everywhere: VERSION=1.2.3
	$(PYTHON) -m packages.version '$(VERSION)'
