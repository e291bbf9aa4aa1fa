"""testcontainers without an engine: of its API only what the documentation uses, with the same signatures."""
