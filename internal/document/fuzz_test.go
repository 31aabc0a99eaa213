package document

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// readers read a document of each kind.
func readers() map[Kind]func(path string) (any, error) {
	return map[Kind]func(string) (any, error){
		KindInventory:    func(path string) (any, error) { v := new(Inventory); return v, Read(path, KindInventory, v) },
		KindPlan:         func(path string) (any, error) { v := new(Plan); return v, Read(path, KindPlan, v) },
		KindResults:      func(path string) (any, error) { v := new(Results); return v, Read(path, KindResults, v) },
		KindVerification: func(path string) (any, error) { v := new(Verification); return v, Read(path, KindVerification, v) },
	}
}

// FuzzRead reads documents of any bytes, as another tool or a bad disk may leave them: an error, or a document that can
// be written and is the same when it is read again.
func FuzzRead(f *testing.F) {
	const registry, repository = `"123456789012.dkr.ecr.us-east-1.amazonaws.com"`, `"123456789012.dkr.ecr.us-east-1.amazonaws.com/app"`
	digest := `"sha256:` + strings.Repeat("a", 64) + `"`
	for _, kind := range []Kind{KindInventory, KindPlan, KindResults, KindVerification} {
		head := `{"formatVersion":1,"kind":"` + string(kind) + `","migration":{"sources":[` + registry + `],"target":"us-docker.pkg.dev/my-project/r","mapping":""}`
		for _, rest := range []string{
			"", "}", ",", `,"source":{"repositories":[{"name":"app","uri":` + repository + `}],"images":[{"uri":` + repository + `,"digest":` + digest + `,"tags":["v1"]}]}}`,
			`,"manifests":[{"digest":` + digest + `,"blobs":[0],"children":[` + digest + `]}],"blobs":[{"digest":` + digest + `,"size":1}],"images":[]}`,
			`,"source":[]}`, `,"images":{}}`, `,"images":[null]}`, `}{}`, `,"target":null,"refused":[{"digest":1}]}`,
		} {
			f.Add(string(kind), []byte(head+rest))
		}
	}
	f.Add("inventory", []byte(`[]`))
	f.Add("inventory", bytes.Repeat([]byte(`{"source":`), 100))
	f.Fuzz(func(t *testing.T, kind string, b []byte) {
		read, ok := readers()[Kind(kind)]
		if !ok {
			return
		}
		path := filepath.Join(t.TempDir(), "document.json")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		first, err := read(path)
		if err != nil {
			if !strings.Contains(err.Error(), path) {
				t.Errorf("the error does not name the file: %v", err)
			}
			return
		}
		if err := Write(path, first); err != nil {
			t.Fatal(err)
		}
		second, err := read(path)
		if err != nil {
			return // a name that was missing cannot be read once it is written
		}
		if diff := cmp.Diff(first, second, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}

// FuzzReadContent is FuzzRead for content.jsonl.
func FuzzReadContent(f *testing.F) {
	digest := `"sha256:` + strings.Repeat("a", 64) + `"`
	head := `{"formatVersion":1,"kind":"content","migration":{"sources":[]}}` + "\n"
	for _, seed := range []string{
		"", head, head + `{"digest":` + digest + `,"mediaType":"x","size":1,"children":[{"digest":` + digest + `,"size":-1}]}`, head + "{", head + "null\n1\n",
		head + `{"digest":"../../x","blobs":[{}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "content.jsonl")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		first, err := ReadContent(path)
		if err != nil {
			return
		}
		if err := WriteContent(path, first); err != nil {
			t.Fatal(err)
		}
		second, err := ReadContent(path)
		if diff := cmp.Diff(first, second, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
}
