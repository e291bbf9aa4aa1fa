# What strangers install. Part of the Makefile; packages/README.md says what is where.

PACKAGE_TOOLS := target/packages
PACKAGE_PYTHON := $(PACKAGE_TOOLS)/bin/python

package-tools: $(PACKAGE_TOOLS)/ready

$(PACKAGE_TOOLS)/ready: packages/requirements.txt
	$(PYTHON) -m venv $(PACKAGE_TOOLS)
	$(PACKAGE_PYTHON) -m pip install -q --disable-pip-version-check -r $<
	touch $@

# --- What would be published

DIST_PARTS := dist-python dist-npm dist-rust dist-command dist-c dist-go

.PHONY: package-tools dist manifest version $(DIST_PARTS)

dist: $(DIST_PARTS) ## Build all that would be published, into dist/. Each part is a target, too: dist-python, dist-npm, ...
	$(MAKE) --no-print-directory manifest

# PLATFORMS='linux-x64-gnu linux-x64-musl' builds these alone.
$(DIST_PARTS): dist-%: package-tools
	$(PACKAGE_PYTHON) -m packages.$*.build $(PLATFORMS:%=--platform %)

manifest: package-tools ## Checksums, SBOM and manifest of dist/, which say what `make rehearse` has installed
	$(PACKAGE_PYTHON) -m packages.manifest

version: ## Change the version everywhere: VERSION=1.2.3
	$(PYTHON) -m packages.version '$(VERSION)'

include packages/publish/publish.mk

# --- Whether it can be installed

.PHONY: test-packages test-command-packages test-c-packages rehearse rehearse-short

rehearse: package-tools ## Install dist/ as strangers do, in a chroot, from local registries. Needs root and debootstrap
	$(PACKAGE_PYTHON) -m packages.rehearse $(REHEARSE)
	$(MAKE) --no-print-directory manifest

# Its packages are for this machine only, and from what the tests have built.
rehearse-short: export PORTALLOC_DIST := $(abspath target/rehearse/dist)
rehearse-short: test-packages wheel node-built ## The short form, which CI runs: fresh directories, this machine's packages
	$(PACKAGE_PYTHON) -m packages.rehearse.short
	$(PACKAGE_PYTHON) -m packages.rehearse --short $(REHEARSE)

test-packages: package-tools
	$(PACKAGE_PYTHON) -m unittest -q packages.test_manifest packages.python.test_python packages.rehearse.test_rehearse

test-command-packages: ## The archives of the command, its .deb and its formula, after `make dist-command`
	$(PACKAGE_PYTHON) -m unittest packages.command.test_command

test-c-packages: ## The archives of the library for C, after `make dist-c`
	$(PACKAGE_PYTHON) -m unittest packages.c.test_c
