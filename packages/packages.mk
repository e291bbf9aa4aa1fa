# What strangers install. Part of the Makefile; packages/README.md says what is where.

PACKAGE_TOOLS := target/packages
PACKAGE_PYTHON := $(PACKAGE_TOOLS)/bin/python

.PHONY: package-tools dist dist-npm version rehearse rehearse-short

package-tools: $(PACKAGE_TOOLS)/ready

$(PACKAGE_TOOLS)/ready: packages/requirements.txt
	$(PYTHON) -m venv $(PACKAGE_TOOLS)
	$(PACKAGE_PYTHON) -m pip install -q --disable-pip-version-check -r $<
	touch $@

dist-npm: package-tools ## Build the npm packages: dist/npm
	$(PACKAGE_PYTHON) -m packages.npm.build

rehearse: package-tools ## Install dist/ as strangers do, in a chroot, from local registries. Needs root and debootstrap
	$(PACKAGE_PYTHON) -m packages.rehearse $(REHEARSE)

rehearse-short: package-tools ## The short form of it, in fresh directories
	$(PACKAGE_PYTHON) -m packages.rehearse --short $(REHEARSE)

version: ## Change the version everywhere: VERSION=1.2.3
	$(PYTHON) -m packages.version '$(VERSION)'
