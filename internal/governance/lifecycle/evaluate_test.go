package lifecycle

import (
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/governance/image"
)

// at is an image pushed some days before now with those tags, divided by spaces.
func at(now time.Time, name digest.Digest, days int, tags string) image.Image {
	return image.Image{Digest: name, PushedAt: now.AddDate(0, 0, -days), Tags: strings.Fields(tags)}
}

// zoo is images of every kind.
func zoo(now time.Time) []image.Image {
	index := at(now, "index", 20, "v1 latest")
	index.Children = []digest.Digest{"child", "both"}
	second := at(now, "second", 2, "")
	second.Children = []digest.Digest{"both"}
	signature := at(now, "signature", 20, "")
	signature.Subject = "index"
	archived := at(now, "archived", 400, "old")
	archived.Archived = true
	since := archived
	since.Digest, since.ArchivedAt = "since", now.AddDate(0, 0, -100)
	pulled := at(now, "pulled", 200, "prod-1")
	pulled.LastPulledAt = now.AddDate(0, 0, -5)
	restored := at(now, "restored", 200, "prod-2")
	restored.ActivatedAt = now.AddDate(0, 0, -3)
	return []image.Image{index, second, at(now, "child", 20, ""), at(now, "both", 20, ""), signature, archived, since, pulled, restored,
		at(now, "a", 30, "a-1 b-1"), at(now, "b", 10, "b-2"), at(now, "c", 1, ""), at(now, "d", 60, "")}
}

func TestEvaluate(t *testing.T) {
	const count = `"countType":"imageCountMoreThan","countNumber":`
	const pulled = `"countType":"sinceImagePulled","countUnit":"days","countNumber":`
	const leave = `"tagStatus":"any","storageClass":"archive","countType":"sinceImageTransitioned","countUnit":"days","countNumber":`
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name     string
		days     int // from now
		rules    []string
		expired  string
		archived string // besides archived and since
	}{
		{"untagged: children wait, the signature stays", 0, []string{untagged}, "d", ""},
		{"later", 60, []string{untagged}, "second c d", ""},
		{"exactly the days are no more than the days", 13, []string{untagged}, "second d", ""},
		{"any: children and signature go with the index; what was restored is young", 0, []string{anyAge}, "index child signature pulled a d", ""},
		{"and both parents", 30, []string{anyAge}, "index second child both signature pulled restored a b c d", ""},
		{"a list is AND", 0, []string{tagged(`"tagPrefixList":["a","b"]`)}, "a", ""},
		{"patterns", 0, []string{tagged(`"tagPatternList":["*-1"]`)}, "pulled a", ""},
		{"a rule before shields", 0, []string{`"tagStatus":"tagged","tagPrefixList":["a"],` + count + "5", anyAge}, "index child signature pulled d", ""},
		{"a rule that is not understood shields", 0, []string{`"tagStatus":"tagged","tagPrefixList":["a"],"countType":"new"`, anyAge}, "index child signature pulled d", ""},
		{"all, where it does not say what", 0, []string{untagged, `"tagStatus":"new"`, anyAge}, "d", ""},
		{"count: neither children nor referrers take a place", 0, []string{`"tagStatus":"any",` + count + "6"}, "pulled d", ""},
		{"count: what has no parent left goes if it is old", 0, []string{`"tagStatus":"any",` + count + "4"}, "index child signature pulled a d", ""},
		{"not pulled", 0, []string{`"tagStatus":"any",` + pulled + "30|" + archive}, "", "d"},
		{"not pulled, later", 28, []string{`"tagStatus":"any",` + pulled + "30|" + archive}, "", "index child signature pulled restored a b d"},
		{"out of the archive", 0, []string{leave + "90"}, "since", ""},
		{"into the archive and out of it", 91, []string{`"tagStatus":"any",` + pulled + "40|" + archive, leave + "90"}, "since d", "index second child both signature pulled restored a b c"},
	} {
		p, err := Parse(policyOf(c.rules...))
		if err != nil {
			t.Fatal(err)
		}
		var expired, archived []string
		images := zoo(now)
		for n, v := range Evaluate(p, images, now) {
			by := now.AddDate(0, 0, c.days)
			if v.Expires.Passed(by) {
				expired = append(expired, string(images[n].Digest))
			}
			if v.Archives.Passed(by) && !v.Expires.Passed(by) && !images[n].Archived {
				archived = append(archived, string(images[n].Digest))
			}
			if v.Expires != image.Never && v.Rule == 0 && images[n].Subject == "" && !images[n].Archived {
				t.Errorf("%s: no rule deletes %s", c.name, images[n].Digest)
			}
		}
		if got := strings.Join(expired, " "); got != c.expired {
			t.Errorf("%s: %q expire, not %q", c.name, got, c.expired)
		}
		if got := strings.Join(archived, " "); got != c.archived {
			t.Errorf("%s: %q are archived, not %q", c.name, got, c.archived)
		}
	}
}
