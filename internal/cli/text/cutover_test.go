package text

import (
	"io"
	"testing"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
)

func TestCutover(t *testing.T) {
	c := document.Cutover{CheckedAt: day(4), Fail: 2, Unknown: 1, Checks: []document.GateCheck{
		{Name: "verified", State: document.CheckPass, Evidence: []string{"1,204 references of 12 repositories verified, the first at 2026-11-03 10:00 UTC; the last push was at 2026-11-02 09:12 UTC.", "Every blob of every image was asked for."}},
		{Name: "references", State: document.CheckFail, Evidence: []string{"3 references in 140 files below deploy still to be rewritten: " + hostile + ":3, deploy/web.yaml:12 and 1 more.", "No cluster was named."}, Do: []string{"transship rewrite deploy --write"}},
		{Name: "pulls", State: document.CheckFail, Evidence: []string{"1 repository pulled since: team/api:v1 at 2026-11-04 09:00 UTC."}, Do: []string{"ask CloudTrail who it is", "aws cloudtrail lookup-events"}},
		{Name: "canary", State: document.CheckUnknown, Evidence: []string{"Pulled team/api:v1 (linux/amd64): 9 blobs, 212 MB in 3.1 s.", "By GOOGLE_OAUTH_ACCESS_TOKEN.", "Whether the nodes may do so is not known."}, Do: []string{"say who the nodes are, and the image is pulled as they would: --nodes EMAIL"}},
	}}
	golden(t, "cutover-closed", func(w io.Writer, o Options) { Cutover(w, o, c, "transship/cutover.json", "transship/leave.sh") })
	c.Checks, c.Fail, c.Unknown = c.Checks[:1], 0, 0
	golden(t, "cutover-open", func(w io.Writer, o Options) { Cutover(w, o, c, "transship/cutover.json", "transship/leave.sh") })
	c.Leave = true
	c.Removable = []document.Removable{{Source: east.Repository("team/api"), Whole: true, Bytes: 5 << 30, Digests: make([]digest.Digest, 1200)}, {Source: east.Repository("team/web"), Digests: make([]digest.Digest, 4)}}
	c.Retained = make([]document.Retained, 3)
	golden(t, "cutover-leave", func(w io.Writer, o Options) { Cutover(w, o, c, "transship/cutover.json", "transship/leave.sh") })
}
