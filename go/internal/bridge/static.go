//go:build !cgo && portalloc_static

package bridge

// A program that neither has the library linked into it nor can load one: it stays static, and each call fails.

//go:uintptrescapes
func call(string, ...uintptr) Outcome {
	return Outcome{
		Result:  unsupported,
		Message: "this program is built without cgo and with the tag portalloc_static, so it has no library",
		Remedy:  "build it with cgo, or without that tag",
	}
}

//go:uintptrescapes
func plain(string, ...uintptr) {}
