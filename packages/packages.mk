# What strangers install. Part of the Makefile; packages/README.md says what is where.

PACKAGE_TOOLS := target/packages
PACKAGE_PYTHON := $(PACKAGE_TOOLS)/bin/python

.PHONY: package-tools dist manifest version test-packages rehearse rehearse-short

package-tools: $(PACKAGE_TOOLS)/ready

$(PACKAGE_TOOLS)/ready: packages/requirements.txt
	$(PYTHON) -m venv $(PACKAGE_TOOLS)
	$(PACKAGE_PYTHON) -m pip install -q --disable-pip-version-check -r $<
	touch $@

.PHONY: dist-python
dist-python: package-tools ## Build what PyPI gets: wheels, sdist, pytest-portalloc
	$(PACKAGE_PYTHON) -m packages.python.build $(PLATFORMS:%=--platform %)

dist: dist-python dist-npm dist-rust dist-command dist-c dist-go ## Build all that would be published, into dist/
	$(MAKE) --no-print-directory manifest

manifest: package-tools ## Checksums, SBOM and manifest of dist/, which say what `make rehearse` has installed
	$(PACKAGE_PYTHON) -m packages.manifest

rehearse: package-tools ## Install dist/ as strangers do, in a chroot, from local registries. Needs root and debootstrap
	$(PACKAGE_PYTHON) -m packages.rehearse $(REHEARSE)
	$(MAKE) --no-print-directory manifest

test-packages: package-tools
	$(PACKAGE_PYTHON) -m unittest -q packages.test_manifest packages.rehearse.test_rehearse

rehearse-short: test-packages ## The short form of it, in fresh directories
	$(PACKAGE_PYTHON) -m packages.rehearse --short $(REHEARSE)

version: ## Change the version everywhere: VERSION=1.2.3
	$(PYTHON) -m packages.version '$(VERSION)'

include packages/publish/publish.mk

.PHONY: dist-go

dist-go: package-tools ## The Go module with the library in it, as the files of a module proxy
	$(PACKAGE_PYTHON) -m packages.go.build
