package cutover

import (
	"bytes"
	_ "embed" // the script
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/report"
)

//go:embed leave.sh.tmpl
var leaveScript string

// ScriptLife is how long the script may be run: later, somebody may have pulled again.
const ScriptLife = 7 * 24 * time.Hour

// batch is how many images ECR deletes in one request. FACTS A1.
const batch = 100

// step is what the script does to one repository.
type step struct {
	Account, Region, Repository string
	Source, What                string
	Whole                       bool
	Batches                     []part
}

// part are the images of one request.
type part struct {
	Account, Region, Repository string
	Digests                     string // a line each, as the shell takes them
}

// Script is the shell script that would delete from ECR what c says is removable. It shows what it would do, unless it is
// told to do it.
func Script(c document.Cutover, u report.Units) ([]byte, error) {
	t, err := template.New("leave.sh").Parse(leaveScript)
	if err != nil {
		return nil, err
	}
	images := 0
	var steps []step
	for _, r := range c.Removable {
		images += len(r.Digests)
		s := step{
			Account: r.Source.Registry.Account, Region: r.Source.Registry.Region, Repository: r.Source.Name, Source: u.Clean(r.Source.String()), Whole: r.Whole,
			What: u.Count(len(r.Digests), "image") + ", " + u.Bytes(r.Bytes) + " as ECR counts",
		}
		// A batch of both kinds would be deleted in an order of ECR's.
		for _, kind := range [][]digest.Digest{r.Digests[:r.Indexes], r.Digests[r.Indexes:]} {
			for some := range slices.Chunk(kind, batch) {
				s.Batches = append(s.Batches, part{s.Account, s.Region, s.Repository, lines(some)})
			}
		}
		steps = append(steps, s)
	}
	until := c.CheckedAt.Add(ScriptLife)
	var out bytes.Buffer
	err = t.Execute(&out, view{
		At: moment(c.CheckedAt), Images: u.Count(images, "image"), Repositories: u.Count(len(steps), "repository"),
		Quiet: days(u, time.Duration(c.QuietDays*float64(24*time.Hour))), Retained: u.Count(len(c.Retained), "image"),
		Until: moment(until), UntilSeconds: until.Unix(), Life: days(u, ScriptLife), Steps: steps,
	})
	return out.Bytes(), err
}

// view is what the script is made of.
type view struct {
	At, Images, Repositories, Quiet, Retained, Until, Life string
	UntilSeconds                                           int64
	Steps                                                  []step
}

// Quote makes one word of the shell of a text.
func (view) Quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func lines(ds []digest.Digest) string {
	texts := make([]string, len(ds))
	for n, d := range ds {
		texts[n] = "\t" + d.String()
	}
	return strings.Join(texts, " \\\n")
}
