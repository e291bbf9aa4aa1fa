# What a release publishes, by the clients of its registries: RELEASING.md says in which order. Part of packages.mk.

PUBLISH_TOOLS := target/publish
# The clients are found there before anything else on the machine.
PUBLISH := PATH="$(abspath $(PUBLISH_TOOLS))/bin:$$PATH" $(PUBLISH_TOOLS)/bin/python -m packages.publish

.PHONY: release-check release-files test-publish
.PHONY: publish-python publish-npm publish-rust publish-go publish-github

# By their checksums, because they see the credentials.
$(PUBLISH_TOOLS)/ready: packages/publish/requirements.txt
	$(PYTHON) -m venv $(PUBLISH_TOOLS)
	$(PUBLISH_TOOLS)/bin/python -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r $<
	touch $@

release-check: ## Whether this commit may be released: make release-check TAG=vX.Y.Z
	$(PYTHON) -m packages.publish.tag '$(TAG)'

release-files: ## Collect what the release on GitHub has, in target/release-files
	$(PYTHON) -m packages.publish.github --collect

publish-python: $(PUBLISH_TOOLS)/ready ## Publish to PyPI: make publish-python PROJECT=portalloc, then pytest-portalloc
	$(PUBLISH).python '$(PROJECT)'

publish-npm: ## Publish dist/npm to npm
	$(PYTHON) -m packages.publish.npm

publish-rust: ## Publish the crates to crates.io
	$(PYTHON) -m packages.publish.rust

publish-go: ## Push the Go module's tag, with its libraries
	$(PYTHON) -m packages.publish.go

publish-github: ## Publish the release on GitHub
	$(PYTHON) -m packages.publish.github

# Against repositories and directories of its own.
test-publish: python-tools ## What a release publishes is what `make dist` has built
	$(VENV)/bin/python -m pytest packages/publish
