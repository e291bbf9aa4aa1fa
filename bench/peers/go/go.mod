module github.com/portalloc/portalloc/bench/peers/go

go 1.24

require github.com/portalloc/portalloc/go v0.0.0

replace github.com/portalloc/portalloc/go => ../../../go
