# All packages at once: dist/, its manifest, and strangers who install from it. Part of packages/packages.mk.

.PHONY: dist manifest version test-packages rehearse rehearse-short

dist: dist-python dist-npm dist-rust dist-command dist-c dist-go ## Build all that would be published, into dist/
	$(MAKE) --no-print-directory manifest

manifest: package-tools ## Checksums, SBOM and manifest of dist/, which say what `make rehearse` has installed
	$(PACKAGE_PYTHON) -m packages.manifest

version: ## Change the version everywhere: VERSION=1.2.3
	$(PYTHON) -m packages.version '$(VERSION)'

test-packages: package-tools
	$(PACKAGE_PYTHON) -m unittest -q packages.test_manifest packages.rehearse.test_rehearse

rehearse: package-tools ## Install dist/ as strangers do, in a chroot, from local registries. Needs root and debootstrap
	$(PACKAGE_PYTHON) -m packages.rehearse $(REHEARSE)
	$(MAKE) --no-print-directory manifest

# Its packages are for this machine only, and from what the tests have built.
rehearse-short: export PORTALLOC_DIST := $(abspath target/rehearse/dist)
rehearse-short: test-packages wheel node-built ## The short form, which CI runs: fresh directories, this machine's packages
	$(PACKAGE_PYTHON) -m packages.rehearse.short
	$(PACKAGE_PYTHON) -m packages.rehearse --short $(REHEARSE)
