//go:build !cgo && !portalloc_static && linux && (amd64 || arm64)

package bridge

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// cached is the path of a file with this content in the user's cache directory, which it writes unless it is there.
// Whoever can write there can make the program execute what they like. So nobody but the user and root may, and the
// file's name is its hash, which is compared each time.
func cached(content []byte) (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	directory := filepath.Join(base, "portalloc")
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return "", err
	}
	// Without symbolic links, so that the directories that are checked are those that are used.
	if directory, err = filepath.EvalSymlinks(directory); err != nil {
		return "", err
	}
	if err := isOurs(directory); err != nil {
		return "", err
	}
	sum := sha256.Sum256(content)
	path := filepath.Join(directory, fmt.Sprintf("%x.so", sum))
	found, err := os.ReadFile(path)
	if err == nil && sha256.Sum256(found) == sum {
		return path, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return path, write(path, content)
}

// isOurs fails unless the directory is the user's alone, and nobody but the user and root can put another in its place.
func isOurs(directory string) error {
	for path, forbidden := directory, fs.FileMode(0o077); ; path, forbidden = filepath.Dir(path), 0o022 {
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		owner := int(info.Sys().(*syscall.Stat_t).Uid)
		isSafe := info.Mode().Perm()&forbidden == 0 || path != directory && info.Mode()&fs.ModeSticky != 0
		if !info.IsDir() || !isSafe || owner != os.Geteuid() && (owner != 0 || path == directory) {
			return fmt.Errorf("%s is owned by user %d with mode %v: others could replace what is in it",
				path, owner, info.Mode())
		}
		if path == filepath.Dir(path) {
			return nil
		}
	}
}

// write puts the file there as a whole: whoever finds it, in this process or another, finds all of it.
func write(path string, content []byte) error {
	removeAbandoned(filepath.Dir(path))
	temporary, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = temporary.Write(content)
	if closed := temporary.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		os.Remove(temporary.Name())
	}
	return err
}

// removeAbandoned removes what processes have left that were killed while they wrote. None of them takes an hour to write.
func removeAbandoned(directory string) {
	left, _ := filepath.Glob(filepath.Join(directory, ".new-*")) // the pattern is valid
	for _, path := range left {
		if info, err := os.Lstat(path); err == nil && time.Since(info.ModTime()) > time.Hour {
			os.Remove(path)
		}
	}
}
