package inventory

import (
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// What is known of restoring an archived image. FACTS A4 [D] the promise and the minimum, [I] that it is asynchronous.
const (
	RestoreTime    = 20 * time.Minute // how long ECR may take for each; they may run at the same time
	RestoreMinimum = 90               // days that an image stays archived at least before a lifecycle rule may expire it
)

// Restore is what it would take to copy what ECR keeps in cold storage.
type Restore struct {
	Images    int      `json:"images"`
	Restoring int      `json:"restoring"` // of them, on their way out of the archive already
	Bytes     int64    `json:"bytes"`     // as in Summary
	Minutes   int      `json:"minutes"`   // that each of them may take
	Commands  []string `json:"commands"`  // one for each image that is not being restored, in the order of the inventory
	Notes     []string `json:"notes"`     // what to know before running them
}

// ArchivedImages says what restoring the archived images of inv would take, or is nil where there are none.
func ArchivedImages(inv document.Inventory) *Restore {
	r := &Restore{Minutes: int(RestoreTime / time.Minute), Commands: []string{}}
	for n := range inv.Source.Images {
		i := &inv.Source.Images[n]
		switch i.Status {
		case document.StatusArchived:
			r.Commands = append(r.Commands, restoreCommand(i.URI, i.Digest))
		case document.StatusActivating:
			r.Restoring++
		default:
			continue
		}
		r.Images++
		if !registry.IsIndex(i.MediaType) {
			r.Bytes += i.Size
		}
	}
	if r.Images == 0 {
		return nil
	}
	r.Notes = []string{
		fmt.Sprintf("Restoring is asynchronous: ECR promises each image within %d minutes, and several can be restored at once.", r.Minutes),
		fmt.Sprintf("Archived images stay at least %d days before a lifecycle rule may expire them.", RestoreMinimum),
		"What ECR charges for restoring is not known here: see the price list of your region.",
		"An index needs each of its children restored, too; they are among the commands.",
		`When all are ACTIVE, run "transship inventory" and "transship plan" again.`,
	}
	return r
}

// restoreCommand restores one image with AWS's own tool.
func restoreCommand(repo ref.Repository, d digest.Digest) string {
	return fmt.Sprintf("aws ecr update-image-storage-class --region %s --registry-id %s --repository-name %s --image-id imageDigest=%s --target-storage-class STANDARD",
		repo.Registry.Region, repo.Registry.Account, repo.Name, d)
}
