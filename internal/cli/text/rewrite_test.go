package text

import (
	"io"
	"testing"

	"transship/internal/document"
	"transship/internal/rewrite"
	"transship/internal/rewrite/cluster"
	"transship/internal/rewrite/mention"
	"transship/internal/rewrite/tree"
)

func aRewrite() RewriteReport {
	r := RewriteReport{Path: "transship/rewrite.json", Document: document.Rewriting{Files: 1234}}
	r.Report = rewrite.Report{Counts: tree.Counts{Files: 1234, Ignored: 5, Vendored: 2, Links: 1}, Binary: 9, AWS: 3}
	for n := range 20 {
		file := "deploy/service-" + string(rune('a'+n)) + "/values.yaml"
		for range n + 1 {
			r.Document.Edits = append(r.Document.Edits, document.Reworded{File: file, Line: n + 1, From: "x", To: "y"})
		}
		r.Report.Changes = append(r.Report.Changes, document.FileChange{File: file})
		r.Report.Findings = append(r.Report.Findings, mention.Finding{
			File: file, Line: n + 7, Kind: mention.Unproved, Text: "image: " + east.Host() + "/team/none:1", Why: "Nobody copied it.", Do: "Copy it, and run this again.",
		})
	}
	r.Report.Findings = append([]mention.Finding{
		{File: "ci/deploy.sh", Line: 12, Kind: mention.PipelineEdit, Text: `sed -i "s|image: .*|image: $X|" app.yaml`, Why: "Its pattern stops matching.", Do: "Change it, too."},
		{File: hostile, Kind: mention.Unreadable, Why: hostile, Do: hostile},
	}, r.Report.Findings...)
	return r
}

func TestRewriting(t *testing.T) {
	golden(t, "rewrite", func(w io.Writer, o Options) { Rewriting(w, o, aRewrite()) })
	golden(t, "rewrite-written", func(w io.Writer, o Options) {
		r := aRewrite()
		r.Document.Written, r.Document.Reverse, r.Report.Findings = true, true, nil
		Rewriting(w, o, r)
	})
	golden(t, "rewrite-nothing", func(w io.Writer, o Options) { Rewriting(w, o, RewriteReport{Document: document.Rewriting{Files: 7}}) })
}

func TestCluster(t *testing.T) {
	golden(t, "cluster", func(w io.Writer, o Options) {
		Cluster(w, o, cluster.Uses{Objects: 40, Uses: []cluster.Use{
			{Namespace: "shop", Kind: "Deployment", Name: "api", Image: east.Host() + "/team/api:1.4.2", Migrated: true, Own: true},
			{Namespace: "shop", Kind: "Deployment", Name: "api-canary", Image: east.Host() + "/team/api:1.4.2", Migrated: true, Own: true},
			{Namespace: "shop", Kind: "CronJob", Name: hostile, Image: east.Host() + "/team/job:1", Own: true, Why: "nobody copied it"},
			{Namespace: "ops", Kind: "Pod", Name: "x", Image: "210987654321.dkr.ecr.us-east-1.amazonaws.com/x/y:1", Why: "its registry is not a source of this migration"},
		}}, "first.txt")
	})
	golden(t, "cluster-none", func(w io.Writer, o Options) { Cluster(w, o, cluster.Uses{Objects: 40}, "") })
}
