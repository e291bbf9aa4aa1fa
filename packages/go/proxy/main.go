// Writes a module as the files of a module proxy, which `go` reads by GOPROXY=file://...: proxy MODULE VERSION TIME FROM TO
package main

import (
	"encoding/json"
	"log"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 6 {
		log.Fatal("usage: proxy MODULE VERSION TIME FROM TO")
	}
	path, version, from, to := os.Args[1], os.Args[2], os.Args[4], os.Args[5]
	committed, err := time.Parse(time.RFC3339, os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	if err := write(module.Version{Path: path, Version: version}, committed, from, to); err != nil {
		log.Fatal(err)
	}
}

func write(of module.Version, committed time.Time, from, to string) error {
	escaped, err := module.EscapePath(of.Path)
	if err != nil {
		return err
	}
	to = filepath.Join(to, escaped, "@v")
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	info, err := json.Marshal(map[string]any{"Version": of.Version, "Time": committed.UTC()})
	if err != nil {
		return err
	}
	manifest, err := os.ReadFile(filepath.Join(from, "go.mod"))
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		of.Version + ".info": info,
		of.Version + ".mod":  manifest,
		"list":               []byte(of.Version + "\n"),
	} {
		if err := os.WriteFile(filepath.Join(to, name), content, 0o644); err != nil {
			return err
		}
	}
	archive, err := os.Create(filepath.Join(to, of.Version+".zip"))
	if err != nil {
		return err
	}
	if err := zip.CreateFromDir(archive, of, from); err != nil {
		return err
	}
	return archive.Close()
}
