module github.com/portalloc/portalloc/go

go 1.24
