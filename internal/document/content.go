package document

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
)

// Content is what is known of manifests, by digest.
type Content map[digest.Digest]ContentEntry

// ContentEntry is what one manifest says: one line of content.jsonl. Such a fact never changes, since the digest is
// made of it.
type ContentEntry struct {
	Digest       digest.Digest `json:"digest"`
	MediaType    string        `json:"mediaType"`
	ArtifactType string        `json:"artifactType,omitempty"`
	Size         int64         `json:"size"`               // bytes of the manifest itself
	Children     []ContentItem `json:"children,omitempty"` // of an index, in its order
	Blobs        []ContentItem `json:"blobs,omitempty"`    // config, then layers in their order
	Foreign      []ContentItem `json:"foreign,omitempty"`  // layers that are kept elsewhere
	Subject      digest.Digest `json:"subject,omitempty"`  // the image that this one describes
	Problem      string        `json:"problem,omitempty"`  // why the manifest is not understood
}

// ContentItem is a manifest or a blob that an entry names.
type ContentItem struct {
	Digest   digest.Digest `json:"digest"`
	Size     int64         `json:"size"` // bytes
	Platform string        `json:"platform,omitempty"`
}

// WriteContent replaces the file at path by a header line and one line an entry, sorted by digest.
func WriteContent(path string, c Content) error {
	return writeFile(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		if err := e.Encode(NewHeader(KindContent, Migration{Sources: []ref.Registry{}})); err != nil {
			return err
		}
		for _, d := range slices.Sorted(maps.Keys(c)) {
			entry := c[d]
			if err := e.Encode(&entry); err != nil {
				return err
			}
		}
		return nil
	})
}

// ReadContent reads what WriteContent wrote. A file that is not there is empty content: it can all be read again.
func ReadContent(path string) (Content, error) {
	c := Content{}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d := json.NewDecoder(bufio.NewReaderSize(f, 1<<16))
	var h Header
	if err := d.Decode(&h); err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", path, err)
	}
	if err := h.Check(KindContent); err != nil {
		return nil, fmt.Errorf("%s cannot be used: %w", path, err)
	}
	known := Strings{}
	for {
		var entry ContentEntry
		switch err := d.Decode(&entry); {
		case errors.Is(err, io.EOF):
			return c, nil
		case err != nil:
			return nil, fmt.Errorf("%s cannot be read: %w", path, err)
		}
		entry.Share(known)
		c[entry.Digest] = entry
	}
}
