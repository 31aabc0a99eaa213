package text

import (
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/governance/desired"
	"transship/internal/provision"
	"transship/internal/ref"
)

var (
	east   = ref.Registry{Account: "123456789012", Region: "us-east-1"}
	west   = ref.Registry{Account: "123456789012", Region: "eu-west-1"}
	images = ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: "app-images"}
	tools  = ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: "tools"}
)

const hostile = "evil\x1b[2J\x1b[1;1H\x1b]0;title\a\nSuccess: all is well\r\x1b[32m\u202e日本語"

func header(kind document.Kind, sources ...ref.Registry) document.Header {
	return document.NewHeader(kind, document.Migration{Sources: sources, Target: images.String()})
}

func sha(s string) digest.Digest { return digest.FromString(s) }

func day(n int) time.Time { return time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n) }

func anInventory() document.Inventory {
	inv := document.Inventory{Header: header(document.KindInventory, east)}
	for i := range 13 {
		repo := east.Repository(fmt.Sprintf("team-%c/service", 'a'+i))
		inv.Source.Repositories = append(inv.Source.Repositories, document.SourceRepository{Name: repo.Name, URI: repo})
		for j := range i + 1 {
			image := document.SourceImage{
				URI: repo, Digest: sha(fmt.Sprint(i, j)), Size: int64(i*j+1) * 123_456_789, Status: document.StatusActive, PushedAt: day(i*100 + j),
				MediaType: "application/vnd.oci.image.manifest.v1+json",
			}
			if j%3 > 0 {
				image.Tags = []string{fmt.Sprintf("v1.%d", j), "latest"}[:j%3]
			}
			if i == 3 && j < 2 {
				image.Status = document.StatusArchived
			}
			inv.Source.Images = append(inv.Source.Images, image)
		}
	}
	inv.Target.Repositories = []document.TargetRepository{{URI: images}}
	inv.Target.Images = []document.TargetImage{{URI: images.Image("team-b/service"), Digest: sha("1 1"), Tags: []string{"v1.1"}, Size: 2_000_000}}
	return inv
}

func aPlan() document.Plan {
	p := document.Plan{Header: header(document.KindPlan, east)}
	p.Repositories = []document.PlannedRepository{{URI: images, Exists: true, DeletingPolicies: 2}, {URI: tools}}
	for i := range 20 {
		name := fmt.Sprintf("team-%c/service", 'a'+i)
		image := document.PlannedImage{Target: images.Image(name), Sources: []ref.Repository{east.Repository(name)}}
		for j := range 1 + i%4 {
			d := sha(fmt.Sprint("image", i, j))
			image.References = append(image.References, document.PlannedReference{Digest: d, Tags: []string{fmt.Sprintf("v%d", j), fmt.Sprintf("v%d.0", j)}[:j%3]})
			p.Manifests = append(p.Manifests, document.PlannedManifest{Digest: d, Size: 1000, Blobs: []int{0, len(p.Blobs)}})
			p.Blobs = append(p.Blobs, document.PlannedBlob{Digest: sha(fmt.Sprint("blob", i, j)), Size: int64(1+i*j) * 12_345_678})
		}
		p.Images = append(p.Images, image)
	}
	for i := range 8 {
		r := document.Refusal{Source: east.Repository("team-x/old"), Digest: sha(fmt.Sprint("old", i)), Rule: document.RuleArchived,
			Reason: "ECR has archived it, so that it cannot be pulled: restore it, then run the inventory and the plan again; or leave it behind"}
		p.Refused = append(p.Refused, r)
		r.Tag = fmt.Sprintf("v%d", i)
		p.Refused = append(p.Refused, r)
	}
	p.Refused = append(p.Refused,
		document.Refusal{Source: east.Repository("a/b"), Rule: document.RuleUnmapped, Reason: "no rule leads anywhere: add a mapping for it, name a default target with --to, or exclude it"},
		document.Refusal{Source: east.Repository("c/d"), Rule: document.RuleOutOfScope, Reason: "the scope leaves it out"},
		document.Refusal{Source: east.Repository("e/f"), Digest: sha("unread"), Rule: document.RuleUnreadable, Reason: "its manifest could not be read: ECR did not serve it: make the plan again, or leave it behind"},
	)
	p.Scope = document.Scope{Exclude: []string{"c/**"}}
	p.Difference = document.Difference{
		CreateRepositories: 1, CopyManifests: 47, PresentManifests: 3, SetTags: 29, MoveTags: 1, PresentTags: 4, CopyBlobs: 45, CopyBytes: 5_678_901_234,
		TotalBytes: 6_000_000_000, MountBlobs: 12, ExtraImages: 2,
		ForeignTags: []document.Tag{{Target: images.Image("team-c/service"), Tag: "v1", Digest: sha("foreign")}},
	}
	return p
}

func someResults() document.Results {
	r := document.Results{
		Header: header(document.KindResults, east), StartedAt: day(0), EndedAt: day(0).Add(252 * time.Second), Success: 312, Failed: 12, Skipped: 40,
		Kept:    []document.Tag{{Target: images.Image("team/api"), Tag: "latest", Digest: sha("kept")}},
		Gone:    []document.Tag{{Target: images.Image("team/web"), Digest: sha("gone")}},
		Traffic: document.Traffic{ManifestsRead: 300, ManifestsWritten: 298, TagsWritten: 312, BlobsRead: 412, BytesRead: 4_200_000_000, BlobsMounted: 56, BlobsPresent: 3},
	}
	for i := range 12 {
		r.Failures = append(r.Failures, document.Failure{
			Source: east.String() + fmt.Sprintf("/team/service-%d:v1", i), Target: images.String() + fmt.Sprintf("/team/service-%d:v1", i), Tag: "v1", Digest: sha("x"),
			Class: "denied", Error: fmt.Sprintf("target: write manifest %s/team/service-%d:v1: HTTP 403: permission denied", images, i),
			Hint: "grant roles/artifactregistry.writer",
		})
	}
	r.Failures[1].Target = images.String() + "/elsewhere/service-1:v1"
	r.Failures[2].Hint, r.Failures[2].Class, r.Failures[2].Source = "", "unknown", east.String()+"/team/service-2@"+sha("x").String()
	return r
}

func aVerification() document.Verification {
	v := document.Verification{Header: header(document.KindVerification, east), Verified: 350, Missing: 2, Mismatched: 1, Excluded: 3, Extra: 1, Deep: true, Blobs: 4120}
	api := east.Repository("team/api")
	v.Cases = []document.Case{
		{Kind: document.CaseMissing, Source: api, Target: images.Image("team/api").String(), Tag: "v1", SourceDigest: sha("1"), Cause: "it was deleted at the target, or pushed to the source after the last copy"},
		{Kind: document.CaseMissing, Source: api, Target: images.Image("team/api").String(), SourceDigest: sha("2"), Blob: sha("b"), Cause: "the image is there, but this blob of it is not: delete the image at the target and copy it again"},
		{Kind: document.CaseMismatched, Source: api, Target: images.Image("team/api").String(), Tag: "latest", SourceDigest: sha("3"), TargetDigest: sha("4"), Cause: "the tag was moved at the source after the last copy"},
		{Kind: document.CaseExcluded, Source: api, Tag: "old", SourceDigest: sha("5"), Rule: document.RuleArchived, Cause: "ECR has archived it: restore it"},
		{Kind: document.CaseExcluded, Source: api, SourceDigest: sha("6"), Rule: document.RuleArchived, Cause: "ECR is restoring it"},
		{Kind: document.CaseExcluded, Source: east.Repository("c/d"), Rule: document.RuleOutOfScope, Cause: "the scope leaves it out"},
		{Kind: document.CaseExtra, Target: images.Image("team/api").String(), Tag: "test", TargetDigest: sha("7"), Cause: "no source holds it"},
	}
	return v
}

func TestInventory(t *testing.T) {
	golden(t, "inventory", func(w io.Writer, o Options) { Inventory(w, o, anInventory(), "transship/inventory.json") })
	golden(t, "inventory-empty", func(w io.Writer, o Options) {
		Inventory(w, o, document.Inventory{Header: header(document.KindInventory, east, west), Scope: document.Scope{Include: []string{"team/**"}}}, "")
	})
	inv := anInventory()
	inv.Source.Images[0].Tags, inv.Source.Images[0].Digest, inv.Source.Images[1].Size = []string{hostile}, hostile, math.MaxInt64/4
	inv.Source.Images[1].URI.Name, inv.Source.Images[2].URI.Name = hostile, strings.Repeat("long/", 60)+"name"
	inv.Failures = []document.Failure{{Source: hostile, Target: hostile, Class: hostile, Error: hostile, Hint: hostile}}
	inv.Scope.Include = []string{hostile}
	golden(t, "inventory-hostile", func(w io.Writer, o Options) { Inventory(w, o, inv, "transship/inventory.json") })
}

func TestPlan(t *testing.T) {
	golden(t, "plan", func(w io.Writer, o Options) {
		Plan(w, o, aPlan(), document.Governance{}, anEstimate(), planFiles)
	})
	golden(t, "plan-empty", func(w io.Writer, o Options) {
		Plan(w, o, document.Plan{Header: header(document.KindPlan, east)}, document.Governance{}, document.Estimate{}, planFiles)
	})
	done := aPlan()
	done.Difference = document.Difference{PresentManifests: 50, PresentTags: 34, TotalBytes: 6_000_000_000}
	done.Repositories[1].Exists, done.Refused, done.Images = true, nil, done.Images[:3]
	golden(t, "plan-done", func(w io.Writer, o Options) { Plan(w, o, done, document.Governance{}, document.Estimate{}, planFiles) })

	evil := aPlan()
	evil.Migration = document.Migration{Sources: []ref.Registry{east, west}, Target: images.String(), Mapping: "sha256:rules"}
	evil.Images[0].Target.Path, evil.Images[1].Target.Path = hostile, strings.Repeat("long/", 45)+"name"
	evil.Images[1].Sources = []ref.Repository{east.Repository("one"), west.Repository("one")}
	evil.Manifests[0].Blobs, evil.Manifests[0].Children = []int{-1, 1 << 40}, []digest.Digest{evil.Manifests[0].Digest, "nowhere"}
	evil.Blobs[1].Size = math.MaxInt64 / 4
	evil.Refused = []document.Refusal{
		{Source: east.Repository(hostile), Tag: hostile, Digest: hostile, Rule: hostile, Reason: hostile},
		{Source: east.Repository(strings.Repeat("x", 250)), Rule: document.RuleName, Reason: "the target name has 291 characters, more than 255: add a mapping that gives it another name, or exclude it"},
	}
	for i := range 6 {
		evil.Refused = append(evil.Refused, document.Refusal{Source: east.Repository("a/b"), Digest: sha(fmt.Sprint(i)), Rule: document.RuleIncomplete,
			Reason: "it needs " + sha(fmt.Sprint("child", i)).String() + ", which is refused: ECR did not serve it"})
	}
	evil.Difference.ForeignTags = []document.Tag{{Target: evil.Images[0].Target, Tag: hostile, Digest: hostile}}
	evil.Difference.CopyManifests, evil.Difference.CopyBytes = math.MaxInt64, math.MaxInt64
	golden(t, "plan-hostile", func(w io.Writer, o Options) { Plan(w, o, evil, document.Governance{}, evilEstimate(), planFiles) })
}

func anUntagged(id string, days document.Seconds) document.CleanupPolicy {
	return document.CleanupPolicy{ID: id, Action: document.CleanupDelete, Condition: &document.CleanupCondition{TagState: document.Untagged, OlderThan: days * document.Day}}
}

// someChanges are a repository that is created with everything, one that is changed, and one that cannot have all.
func someChanges() []desired.Change {
	shield := document.CleanupPolicy{ID: "transship-r1-shield", Action: document.CleanupKeep, Condition: &document.CleanupCondition{
		TagState: document.Tagged, TagPrefixes: []string{"prod", "release"}, PackagePrefixes: []string{"team/api"}, NewerThan: 365 * document.Day,
	}}
	newest := document.CleanupPolicy{ID: "transship-newest", Action: document.CleanupKeep, MostRecent: &document.MostRecent{KeepCount: 10}}
	want := document.TargetSettings{
		ImmutableTags: true, Labels: map[string]string{"team": "payments", "env": "prod"}, Scanning: document.ScanningInherited,
		Cleanup: []document.CleanupPolicy{newest, anUntagged("transship-r2-delete", 14), shield}, CleanupDryRun: true,
	}
	withKey := want
	withKey.KMSKey = "projects/my-gcp-project/locations/us/keyRings/registry/cryptoKeys/images"
	found := func(r ref.TargetRepository, s document.TargetSettings) *document.TargetRepository {
		return &document.TargetRepository{URI: r, Format: "DOCKER", TargetSettings: s}
	}
	old := document.TargetSettings{
		Labels: map[string]string{"team": "platform", "cost-center": "42"}, Scanning: document.ScanningDisabled, CleanupDryRun: true,
		Cleanup: []document.CleanupPolicy{anUntagged("transship-r2-delete", 7), anUntagged("transship-r9-delete", 7)},
	}
	busy := ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: "busy"}
	return []desired.Change{
		desired.Diff(document.PlannedRepository{URI: images, Settings: withKey}, nil, false),
		desired.Diff(document.PlannedRepository{URI: tools, Settings: want}, found(tools, old), true),
		desired.Diff(document.PlannedRepository{URI: busy, Settings: want},
			found(busy, document.TargetSettings{Labels: want.Labels, Cleanup: []document.CleanupPolicy{anUntagged("by-hand", 3)}}), false),
	}
}

func TestChanges(t *testing.T) {
	golden(t, "changes", func(w io.Writer, o Options) { Changes(w, o, someChanges()) })
	evil := someChanges()
	evil[0].Repository.ID, evil[1].Repository.ID = hostile, hostile
	evil[0].Steps = []desired.Step{{Setting: hostile, Item: hostile, From: hostile, To: hostile}, {}}
	evil[2].LeftOut = []desired.LeftOut{{Setting: hostile, Reason: hostile, Remedy: hostile}, {}}
	golden(t, "changes-hostile", func(w io.Writer, o Options) { Changes(w, o, evil) })
}

func TestProvision(t *testing.T) {
	changes := someChanges()
	left := []provision.LeftOut{{Repository: tools, LeftOut: changes[2].LeftOut[0]}}
	golden(t, "provision", func(w io.Writer, o Options) {
		Provision(w, o, provision.Result{
			Created: []ref.TargetRepository{images}, Changed: []provision.Changed{{Repository: tools, Steps: changes[1].Steps}}, LeftOut: left,
			DryRun: []ref.TargetRepository{images, tools}, Unfinished: []ref.TargetRepository{images},
		})
	})
	golden(t, "provision-others", func(w io.Writer, o Options) {
		Provision(w, o, provision.Result{Created: []ref.TargetRepository{tools}, Unchanged: []ref.TargetRepository{images}})
		Provision(w, o, provision.Result{Unchanged: []ref.TargetRepository{images}, LeftOut: left})
		Provision(w, o, provision.Result{})
	})
}

func TestResults(t *testing.T) {
	golden(t, "results", func(w io.Writer, o Options) { Results(w, o, someResults(), "transship/results.json") })
	golden(t, "results-others", func(w io.Writer, o Options) {
		Results(w, o, document.Results{Header: header(document.KindResults, east)}, "transship/results.json")
		Results(w, o, document.Results{Header: header(document.KindResults, east), Skipped: 352}, "")
		Results(w, o, document.Results{Header: header(document.KindResults, east), Success: 1, StartedAt: day(0), EndedAt: day(3)}, "")
		Results(w, o, document.Results{Header: header(document.KindResults, east), Success: 10, Stopped: true}, "")
	})
	evil := someResults()
	evil.Failures = []document.Failure{{Source: hostile, Target: hostile, Class: hostile, Error: hostile, Hint: hostile}, {}}
	evil.Kept = []document.Tag{{Target: images.Image(hostile), Tag: strings.Repeat("long", 40), Digest: hostile}}
	evil.Success, evil.Failed, evil.Traffic.BytesRead = math.MaxInt64, math.MaxInt64, math.MaxInt64
	golden(t, "results-hostile", func(w io.Writer, o Options) { Results(w, o, evil, hostile) })
}

func TestVerification(t *testing.T) {
	golden(t, "verification", func(w io.Writer, o Options) { Verification(w, o, aVerification(), "transship/verify.json") })
	golden(t, "verification-others", func(w io.Writer, o Options) {
		Verification(w, o, document.Verification{Header: header(document.KindVerification, east), Verified: 352}, "transship/verify.json")
		Verification(w, o, document.Verification{Header: header(document.KindVerification, east), Verified: 1, Deep: true, Blobs: 1}, "")
		Verification(w, o, document.Verification{Header: header(document.KindVerification, east), Verified: 1, Failures: []document.Failure{{Target: images.Image("team/api").String(), Class: "denied", Error: "HTTP 403"}}}, "")
		Verification(w, o, document.Verification{Header: header(document.KindVerification, east)}, "")
	})
	golden(t, "migrated", func(w io.Writer, o Options) {
		Migrated(w, o, document.Verification{Header: header(document.KindVerification, east), Verified: 352, Excluded: 3})
		Migrated(w, o, document.Verification{Header: header(document.KindVerification, east), Verified: 1})
		Migrated(w, o, document.Verification{Header: header(document.KindVerification, east)})
	})
	evil := aVerification()
	evil.Missing = math.MaxInt64
	evil.Cases = []document.Case{
		{Kind: document.CaseMissing, Source: east.Repository(hostile), Target: hostile, Tag: hostile, SourceDigest: hostile, TargetDigest: hostile, Blob: hostile, Cause: hostile},
		{Kind: document.CaseExcluded, Source: east.Repository(hostile), Tag: hostile, Rule: hostile, Cause: hostile},
		{Kind: document.CaseExtra, Target: strings.Repeat("long/", 60) + "name", Tag: "v1"},
		{Kind: document.CaseMismatched},
	}
	golden(t, "verification-hostile", func(w io.Writer, o Options) { Verification(w, o, evil, "transship/verify.json") })
}
