// Package library has the library for the packages that link or load it, for each system that the module is for:
//
//	libportalloc_linux_amd64.a   what a program with cgo is linked with
//	portalloc_linux_amd64.so     what a program without cgo loads; it contains bridge.c
//	sum_linux_amd64.go           both files' hash, so that Go sees when they change
//	shared_linux_amd64.go        embeds the second
//	portalloc.h                  the library's header
//
// A released module has these files. In a clone, `make go-library` makes them, and git ignores them.
package library
