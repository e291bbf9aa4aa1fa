//go:build !cgo

package portalloc

// Without cgo, this is the only file with code, and its error the only one.
var _ = portalloc_needs_cgo__set_CGO_ENABLED_1_and_install_a_C_compiler
