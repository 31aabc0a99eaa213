package shard

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Part{"0/1": {0, 1}, "7/8": {7, 8}, "9999/10000": {9999, 10000}} {
		if got, err := Parse(text); err != nil || got != want || got.String() != text || got.Whole() {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1", "/", "1/", "/2", "2/2", "-1/2", "0/0", "0/-1", "0/10001", "a/b", "0/2/3", " 0/2", "0x0/2"} {
		if got, err := Parse(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("0/8")
	f.Add("8/8")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		if p.Check() != nil || p.Whole() {
			t.Fatalf("%q is %v", text, p)
		}
		if again, err := Parse(p.String()); err != nil || again != p {
			t.Fatalf("%q is %v, which is %v again: %v", text, p, again, err)
		}
	})
}

// Every name is one worker's, and the names are spread.
func TestNamesAreOneWorkers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 50).Draw(t, "count")
		path := target(rapid.StringMatching(`[a-z]{1,8}(/[a-z]{1,8})?`).Draw(t, "path"))
		have := 0
		for n := range count {
			if (Part{n, count}).HasName(path) {
				have++
			}
		}
		if have != 1 || !(Part{}).HasName(path) {
			t.Fatalf("%d of %d have %s", have, count, path)
		}
	})
	const names, count = 4000, 8
	for n := range count {
		have := 0
		for k := range names {
			if (Part{n, count}).HasName(target(fmt.Sprint("team/service-", k))) {
				have++
			}
		}
		if have < names/count*8/10 || have > names/count*12/10 {
			t.Errorf("worker %d has %d of %d names", n, have, names)
		}
	}
}
