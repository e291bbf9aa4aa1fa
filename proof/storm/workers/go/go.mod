module github.com/portalloc/portalloc/proof/storm/workers/go

go 1.25.0

require github.com/portalloc/portalloc/go v0.0.0

require github.com/ebitengine/purego v0.11.3 // indirect

replace github.com/portalloc/portalloc/go => ../../../../go
