//go:build !(linux && (amd64 || arm64))

package library

// On other systems, this is the only error: every other package waits for this one.
const _ = portalloc_is_for_linux_on_amd64_and_arm64__not_for_this_GOOS_and_GOARCH
