package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// file is one that an archive holds.
type file struct {
	name string
	mode os.FileMode
	data []byte
}

// pack makes the archive of one target: a zip for Windows, a tar.gz for the others.
func (r *release) pack(target, binary string) error {
	name := "transship_" + r.plain() + "_" + strings.ReplaceAll(target, "/", "_")
	var files []file
	for _, path := range []string{binary, filepath.Join(r.root, "LICENSE"), filepath.Join(r.root, "README.md")} {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		mode := os.FileMode(0o644)
		if path == binary {
			mode = 0o755
		}
		files = append(files, file{name + "/" + filepath.Base(path), mode, data})
	}
	write, extension := r.tar, ".tar.gz"
	if strings.HasPrefix(target, "windows/") {
		write, extension = r.zip, ".zip"
	}
	f, err := os.Create(filepath.Join(r.out, name+extension))
	if err != nil {
		return err
	}
	return errors.Join(write(f, files), f.Close())
}

// tar writes the files as they are for everybody: owned by nobody in particular, with the time of the commit.
func (r *release) tar(w io.Writer, files []file) error {
	packed, err := gzip.NewWriterLevel(w, gzip.BestCompression) // its header has no name and no time
	if err != nil {
		return err
	}
	t := tar.NewWriter(packed)
	for _, f := range files {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: int64(f.mode), Size: int64(len(f.data)), ModTime: r.time, Format: tar.FormatUSTAR}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(f.data); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), packed.Close())
}

func (r *release) zip(w io.Writer, files []file) error {
	z := zip.NewWriter(w)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: r.time}
		h.SetMode(f.mode)
		into, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := into.Write(f.data); err != nil {
			return err
		}
	}
	return z.Close()
}

// sum writes SHA256SUMS, in the form that sha256sum --check reads, of all that is in the folder.
func (r *release) sum() error {
	entries, err := os.ReadDir(r.out) // sorted
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(r.out, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(data), e.Name())
	}
	fmt.Print(b.String())
	return os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), []byte(b.String()), 0o644) //nolint:gosec // for everybody
}
