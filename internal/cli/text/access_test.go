package text

import (
	"io"
	"math"
	"testing"

	"transship/internal/document"
	"transship/internal/governance/access"
	"transship/internal/provision"
)

func TestAccess(t *testing.T) {
	const file = "access/us-my-gcp-project-app-images.yaml"
	files := provision.AccessFiles{
		Written: []string{file, "access/principals.yaml"}, Unchanged: []string{"access/us-my-gcp-project-tools.yaml"},
		Kept: []string{"access/us-my-gcp-project-base.yaml"}, Stale: []string{"access/us-my-gcp-project-old.yaml"},
		Dead: []string{"principals.yaml:7: arn:aws:iam::111122223333:role/gone: no policy allows anything to it"}, Open: 2, Ready: 1,
	}
	grants := access.Suggestions{Grants: make([]document.Grant, 3)}
	golden(t, "access", func(w io.Writer, o Options) {
		AccessFiles(w, o, files, grants, "access")
		AccessFiles(w, o, provision.AccessFiles{Unchanged: []string{file}, Ready: 3}, grants, "access")
		AccessFiles(w, o, provision.AccessFiles{Written: []string{"access/principals.yaml"}}, access.Suggestions{}, "access")
	})
	wishes := []access.Wish{
		{Role: access.RoleReader, Member: "allUsers"}, {Role: access.RoleWriter, Member: "serviceAccount:ci@my-gcp-project.iam.gserviceaccount.com"},
		{Role: access.RoleRepoAdmin, Member: "principalSet://iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/aws/attribute.aws_role/arn:aws:sts::111122223333:assumed-role/ci"},
	}
	changes := []provision.AccessChange{
		{File: "a", Repository: images, Missing: wishes[:2], Present: wishes[2:], Left: 1}, {File: "b", Repository: tools, Present: wishes[1:2]},
	}
	golden(t, "access-changes", func(w io.Writer, o Options) {
		AccessChanges(w, o, changes)
		AccessApplied(w, o, provision.AccessResult{Applied: changes})
		AccessApplied(w, o, provision.AccessResult{Applied: changes[1:]})
	})
	evil := []provision.AccessChange{{File: hostile, Repository: images, Missing: []access.Wish{{Role: hostile, Member: hostile}}, Left: math.MaxInt64}}
	golden(t, "access-hostile", func(w io.Writer, o Options) {
		AccessFiles(w, o, provision.AccessFiles{Written: []string{hostile}, Dead: []string{hostile}, Open: math.MaxInt64}, grants, hostile)
		AccessChanges(w, o, evil)
		AccessApplied(w, o, provision.AccessResult{Applied: evil})
	})
}
