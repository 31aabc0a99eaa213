package cutover

import (
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/governance/desired"
	"transship/internal/ref"
	"transship/internal/report"
	"transship/internal/rewrite"
	"transship/internal/rewrite/cluster"
)

// The names of the checks.
const (
	CheckVerified   = "verified"
	CheckSync       = "sync"
	CheckReferences = "references"
	CheckPulls      = "pulls"
	CheckPushes     = "pushes" // with Leave
	CheckCanary     = "canary"
	CheckSettings   = "settings"
	CheckRollback   = "rollback" // without Leave, which ends the way back
	CheckLeftOut    = "left-out" // with Leave
)

// DefaultQuiet is for how long nobody may have pulled or pushed before ECR is left.
const DefaultQuiet = 30 * 24 * time.Hour

// Evidence is what the gate is judged by. What could not be had is nil, and then unknown.
type Evidence struct {
	Migration document.Migration
	Scope     ref.Scope // the repositories that are about to switch
	At        time.Time
	Map       func(ref.Repository) (ref.TargetImage, error)
	// Switched is since when nobody should pull a repository from ECR; the zero value before the switch.
	Switched func(ref.Repository) time.Time
	// SwitchedAt is the moment that was said for the scope as a whole, to be kept.
	SwitchedAt time.Time

	Inventory    document.Inventory // both sides now, with the pull times as ECR has them
	Verification *document.Verification
	Sync         *document.Sync
	Late         time.Duration // after how long without a good cycle a sync counts as stopped
	Pulls        []Pulls       // of each registry
	Recorded     []document.RecordedPulls

	Files    *Files
	Clusters []Cluster
	Canaries Canaries
	Settings Settings

	Leave    bool
	Quiet    time.Duration // with Leave
	Archived bool          // it is decided that archived images stay behind

	Units report.Units
}

// Pulls is whether a registry records the migration's own pulls as pulls. FACTS A1.
type Pulls struct {
	Registry  ref.Registry
	Principal string
	Excluded  bool
	Exclude   string // the command that keeps them out
	Err       error  // why it is not known
}

// Files is what the rewriter says of the team's files, both ways, without writing.
type Files struct {
	Paths []string
	There rewrite.Report // what would still be moved to the target, and what a person must decide about
	Back  rewrite.Report // what would lead back to ECR
	Past  []document.FileChange
	Err   error // why neither is known
}

// Cluster is what a cluster uses of ECR.
type Cluster struct {
	Name string // for people
	Path string // as rewrite --cluster takes it
	Uses cluster.Uses
}

// Settings are the settings of the target's repositories beside the planned ones.
type Settings struct {
	Changes []desired.Change
	Finish  bool  // immutable tags were compared, too
	Err     error // why they could not be compared, or used
	Wrong   bool  // Err is of what cannot be used, rather than of what could not be seen
}

// Judge says what the evidence comes to.
func Judge(e Evidence) document.Cutover {
	j := &judge{Evidence: e}
	j.out = document.Cutover{
		Header: document.NewHeader(document.KindCutover, e.Migration), Scope: document.NewScope(e.Scope), CheckedAt: e.At.UTC(), Leave: e.Leave,
		SwitchedAt: e.SwitchedAt, Recorded: []document.RecordedPulls{}, Pullers: []document.Puller{}, OnlyTarget: []document.TargetOnly{},
		Removable: []document.Removable{}, Retained: []document.Retained{},
	}
	j.index()
	if j.Verification != nil {
		j.found = j.compare()
	}
	j.add(j.verified(), j.sync(), j.references(), j.pulls())
	if e.Leave {
		j.out.QuietDays = e.Quiet.Hours() / 24
		j.add(j.pushes())
	}
	j.add(j.canary(), j.settings())
	j.out.OnlyTarget = j.onlyTarget()
	if !e.Leave {
		j.add(j.rollback())
		return j.out
	}
	j.add(j.leftOut())
	removable, retained := j.removable()
	j.out.Retained = retained
	if j.out.Open() { // a list that outlives its reasons is a trap
		j.out.Removable = removable
	}
	return j.out
}

// judge is one judgement.
type judge struct {
	Evidence
	repositories []*side // in scope, sorted
	target       map[ref.TargetImage]*place
	found        found // where there is a verification
	out          document.Cutover
}

// side is one source repository.
type side struct {
	repository ref.Repository
	target     ref.TargetImage // the zero value where no rule leads anywhere
	images     []document.SourceImage
	verified   *document.VerifiedRepository
	digests    map[digest.Digest]bool   // that were verified
	tags       map[string]digest.Digest // likewise
	left       map[leaving]string       // what a rule leaves out → the rule
	excluded   string                   // the rule that leaves out the whole repository
}

// leaving names what a rule leaves out: a tag, or a digest.
type leaving struct {
	tag    string
	digest digest.Digest
}

// place is an image path of the target, as it is now.
type place struct {
	digests map[digest.Digest]bool
	tags    map[string]digest.Digest
}

// places are the image paths of a listing.
func places(inv document.TargetInventory) map[ref.TargetImage]*place {
	out := map[ref.TargetImage]*place{}
	for _, i := range inv.Images {
		p := out[i.URI]
		if p == nil {
			p = &place{digests: map[digest.Digest]bool{}, tags: map[string]digest.Digest{}}
			out[i.URI] = p
		}
		p.digests[i.Digest] = true
		for _, tag := range i.Tags {
			p.tags[tag] = i.Digest
		}
	}
	return out
}

// at is what a source repository's place at the target holds; nothing where it is not listed.
func (j *judge) at(s *side) place {
	if p := j.target[s.target]; p != nil {
		return *p
	}
	return place{}
}

func (j *judge) add(checks ...document.GateCheck) {
	for _, c := range checks {
		switch c.State {
		case document.CheckFail:
			j.out.Fail++
		case document.CheckUnknown:
			j.out.Unknown++
		}
		j.out.Checks = append(j.out.Checks, c)
	}
}

// index lays the listings and the verification out by repository.
func (j *judge) index() {
	j.target = places(j.Inventory.Target)
	of := map[ref.Repository]*side{}
	for _, r := range j.Inventory.Source.Repositories {
		if !j.Scope.Match(r.URI) {
			continue
		}
		s := &side{repository: r.URI, digests: map[digest.Digest]bool{}, tags: map[string]digest.Digest{}, left: map[leaving]string{}}
		s.target, _ = j.Map(r.URI) // one that leads nowhere is among what the verification leaves out
		of[r.URI] = s
		j.repositories = append(j.repositories, s)
	}
	for _, i := range j.Inventory.Source.Images {
		if s := of[i.URI]; s != nil {
			s.images = append(s.images, i)
		}
	}
	if j.Verification == nil {
		return
	}
	for n := range j.Verification.Repositories {
		if s := of[j.Verification.Repositories[n].Source]; s != nil {
			s.prove(&j.Verification.Repositories[n])
		}
	}
	for _, c := range j.Verification.Cases {
		if s := of[c.Source]; s != nil && c.Kind == document.CaseExcluded {
			s.leaveOut(c)
		}
	}
}

func (s *side) prove(v *document.VerifiedRepository) {
	s.verified = v
	for _, d := range v.Digests {
		s.digests[d] = true
	}
	for _, t := range v.Tags {
		s.tags[t.Tag] = t.Digest
	}
}

func (s *side) leaveOut(c document.Case) {
	if c.SourceDigest == "" && c.Tag == "" {
		s.excluded = c.Rule
		return
	}
	s.left[leaving{c.Tag, c.SourceDigest}] = c.Rule
}

// rule is the rule that leaves an image out, or nothing.
func (s *side) rule(i document.SourceImage) string {
	if s.excluded != "" {
		return s.excluded
	}
	if rule := s.left[leaving{"", i.Digest}]; rule != "" {
		return rule
	}
	for _, tag := range i.Tags {
		if rule := s.left[leaving{tag, i.Digest}]; rule != "" {
			return rule
		}
	}
	return ""
}
