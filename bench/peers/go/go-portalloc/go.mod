// A module of its own, because the one that it needs may not be there to be had: then the others are built all the same.
// The Makefile's fragment adds that one to a copy of this file.
module github.com/portalloc/portalloc/bench/peers/go/go-portalloc

go 1.25.0

require github.com/portalloc/portalloc/bench/peers/go v0.0.0

replace (
	github.com/portalloc/portalloc/bench/peers/go => ../
	github.com/portalloc/portalloc/go => ../../../../go
)
