//go:build linux && (amd64 || arm64)

package library

// Where the library is missing, this is the only error: every other package waits for this one.
const _ = this_copy_of_portalloc_has_no_library__use_a_release_such_as_latest__or_in_a_clone_run_make_go_library
