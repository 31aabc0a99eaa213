package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
)

// Documents are written piece by piece, and the bytes are those that encoding/json would write of the whole.
func TestEncodeWritesWhatEncodingJSONWrites(t *testing.T) {
	full := func(v any) any {
		p := reflect.New(reflect.TypeOf(v))
		fill(p.Elem(), 2)
		return p.Elem().Interface()
	}
	var none *Plan
	for _, v := range []any{
		Inventory{}, inventory(), full(Inventory{}), Plan{}, full(Plan{}), Results{}, full(Results{}), Verification{}, full(Verification{}),
		&Plan{}, none, nil, []int{1, 2}, map[string]int{"a": 1}, "<&>", struct{}{},
		struct {
			A []Tag `json:"a,omitempty"`
			B Tag   `json:"b,omitzero"`
		}{},
		struct {
			A time.Time `json:"a"`
			B *int
			C []byte `json:"-"`
			D []byte
		}{D: []byte("x")},
	} {
		var want, got bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		e.SetIndent("", " ")
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
		if err := Encode(&got, v); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), got.String()); diff != "" {
			t.Errorf("%T: %s", v, diff)
		}
	}
}

// fill gives everything in v a value, lists n of them.
func fill(v reflect.Value, n int) {
	switch at := v.Addr().Interface().(type) {
	case *ref.Registry:
		*at = source
		return
	case *ref.Repository:
		*at = source.Repository("team/api")
		return
	case *ref.TargetRepository:
		*at = target
		return
	case *ref.TargetImage:
		*at = target.Image("team/<api>")
		return
	case *time.Time:
		*at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		return
	case *digest.Digest:
		*at = digest.FromString("x")
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(v.Index(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.String:
		v.SetString("<&>")
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"a": "b"}))
	}
}

// Whatever order a tool left the members in, and whatever it added or set to null, the document is read.
func TestDocumentsThatOtherToolsWroteAreRead(t *testing.T) {
	want := inventory()
	path := filepath.Join(t.TempDir(), "inventory.json")
	if err := Write(path, want); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(b, &members); err != nil {
		t.Fatal(err)
	}
	members["aaa"], members["zzz"] = []any{map[string]any{"kind": 1}}, "more"
	b, _ = json.Marshal(members) // sorted, so that the header is not the beginning
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	var got Inventory
	if err := ReadFor(path, KindInventory, migration, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if h, err := ReadHeader(path, KindInventory); err != nil || migration.Differs(h.Migration) != "" {
		t.Errorf("the header is %+v, %v", h, err)
	}
	var images []SourceImage
	if err := EachSourceImage(path, migration, func(i SourceImage) { images = append(images, i) }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Source.Images, images); diff != "" {
		t.Error(diff)
	}
	for _, body := range []string{
		`,"source":null,"target":{"images":null}}`, `,"source":[]}`, `,"target":{"images":{}}}`, `,"target":{"images":[{]}}`, `}x`, `}{}`,
	} {
		head := fmt.Sprintf(`{"formatVersion":1,"kind":"inventory","migration":{"sources":[%q],"target":%q,"mapping":""}`, source.Host(), target)
		if err := os.WriteFile(path, []byte(head+body), 0o600); err != nil {
			t.Fatal(err)
		}
		var one, whole Inventory
		err, wantErr := ReadFor(path, KindInventory, migration, &one), json.Unmarshal([]byte(head+body), &whole)
		if (err == nil) != (wantErr == nil) {
			t.Errorf("%s: %v, and encoding/json says %v", body, err, wantErr)
		}
		if diff := cmp.Diff(whole, one); err == nil && diff != "" {
			t.Error(body, diff)
		}
	}
}

// Neighbours share their strings, and keep their own.
func TestNeighboursShareWhatTheyHaveInCommon(t *testing.T) {
	want := inventory()
	other := want.Source.Images[0]
	other.Digest, other.MediaType, other.URI, other.Name = digest.FromString("b"), "y/z", source.Repository("team/web"), "team/web"
	want.Source.Images = append(slices.Repeat(want.Source.Images, 3), other)
	path := filepath.Join(t.TempDir(), "inventory.json")
	if err := Write(path, want); err != nil {
		t.Fatal(err)
	}
	var got Inventory
	if err := Read(path, KindInventory, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
