module github.com/portalloc/portalloc/bindings-go

go 1.24
