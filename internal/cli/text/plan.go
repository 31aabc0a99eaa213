package text

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"transship/internal/cli/term"
	"transship/internal/document"
	"transship/internal/ref"
)

// PlanFiles are the paths of what a plan is told in; each is empty where it is nowhere.
type PlanFiles struct {
	Plan       string
	Governance string // for people
	Layout     string // as mappings
}

// Plan says what will be created, copied, tagged, guarded, left and refused, so that it can be signed. The files
// are where that is told, too. Without a governance nothing is said of guards, and without an estimate nothing
// of costs.
func Plan(w io.Writer, o Options, made document.Plan, told document.Governance, cost document.Estimate, at PlanFiles) {
	path := at.Plan
	p, n := newPage(w, o), newNames(made.Migration)
	p.planHead(made)
	p.willCreate(made)
	p.willCopy(made, n, cost.Kind != "" && !o.All)
	p.willTag(made)
	p.willCost(cost)
	p.guards(told, made, n, at)
	p.cleaned(made)
	p.left(made, n, path)
	p.refused(made.Refused, n, path)
	p.blank()
	p.say(0, planSentence(made), p.s.Bold)
	if d := made.Difference; d.CreateRepositories+d.CopyManifests+d.SetTags+d.MoveTags > 0 {
		p.end(`Next: "transship migrate" does it all, once you agree; "provision", "copy" and "verify" do it step by step.`, path)
	} else {
		p.written(path)
	}
}

func (p *page) planHead(made document.Plan) {
	p.title("Plan", "")
	for _, r := range made.Migration.Sources {
		p.line(item, p.s.Faint("from  ")+p.middle(r.Host(), 8))
	}
	to := made.Migration.Target
	switch {
	case to == "":
		to = "where the mapping rules lead"
	case made.Migration.Mapping != "":
		to += ", or where the mapping rules lead"
	}
	p.line(item, p.s.Faint("to    ")+p.middle(to, 8))
	if len(made.Scope.Include)+len(made.Scope.Exclude) > 0 {
		p.line(item, p.s.Faint("only  ")+p.middle(scopeText(made.Scope), 8))
	}
}

func (p *page) willCreate(made document.Plan) {
	var missing []ref.TargetRepository
	for _, r := range made.Repositories {
		if !r.Exists {
			missing = append(missing, r.URI)
		}
	}
	if len(missing) == 0 {
		return
	}
	p.section("Will create", term.Count(len(missing), "repository"))
	p.repositories(missing)
}

// willCopy says what is copied and where; where the costs are told below, they say what becomes of its layers.
func (p *page) willCopy(made document.Plan, n names, costsTold bool) {
	d := made.Difference
	if len(made.Images) == 0 {
		return
	}
	if d.CopyManifests > 0 {
		p.section("Will copy", term.Count(d.CopyManifests, "image")+", "+term.Bytes(d.CopyBytes))
	} else {
		p.section("Nothing to copy", term.Count(d.PresentManifests, "image")+" there already")
	}
	targets := measure(made, n)
	var apart int64
	for _, t := range targets {
		apart += t.size
	}
	if d.CopyManifests > 0 && !costsTold {
		text := fmt.Sprintf("All of the plan is %s. ", term.Bytes(apart))
		if apart > d.TotalBytes {
			text = fmt.Sprintf("All of the plan is %s, or %s when shared layers count once. ", term.Bytes(apart), term.Bytes(d.TotalBytes))
		}
		text += fmt.Sprintf("%s in %s %s ECR, each once", term.Bytes(d.CopyBytes), term.Count(d.CopyBlobs, "layer"), verb(d.CopyBlobs, "leaves", "leave"))
		if d.MountBlobs > 0 {
			text += fmt.Sprintf("; %s %s from within Artifact Registry", term.Count(d.MountBlobs, "further place"), verb(d.MountBlobs, "gets a shared layer", "get shared layers"))
		}
		text += "."
		p.say(item, text, nil)
	}
	p.blank()
	p.targets(targets)
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// targets is the table of all that the plan holds, by target.
func (p *page) targets(targets []measured) {
	mapped := slices.ContainsFunc(targets, func(t measured) bool { return t.from != t.name })
	t := &term.Table{Indent: item, Columns: []term.Column{{Head: "Target", Shrink: true}}}
	if mapped {
		t.Columns = append(t.Columns, term.Column{Head: "From", Shrink: true})
	}
	t.Columns = append(t.Columns, term.Column{Head: "Images", Right: true}, term.Column{Head: "Tags", Right: true}, term.Column{Head: "Size", Right: true})
	shown := p.most(len(targets), maxSome)
	for _, m := range targets[:shown] {
		cells := []string{m.name}
		if mapped {
			cells = append(cells, m.from)
		}
		t.Row(append(cells, term.Number(m.images), term.Number(m.tags), term.Bytes(m.size))...)
	}
	p.table(t)
	if shown < len(targets) {
		p.more(item, len(targets)-shown, " (-v shows all)")
	}
}

func (p *page) willTag(made document.Plan) {
	d := made.Difference
	if d.SetTags+d.MoveTags == 0 {
		return
	}
	p.section("Will set", term.Count(d.SetTags+d.MoveTags, "tag"))
	if d.MoveTags > 0 {
		p.say(item, fmt.Sprintf("%s new, %s from an older image to the one that the source has now.",
			term.Number(d.SetTags), term.Count(d.MoveTags, "tag")+" "+verb(d.MoveTags, "moves", "move")), nil)
	}
}

// cleaned warns of the repositories whose own policies may delete what is copied.
func (p *page) cleaned(made document.Plan) {
	var of []document.PlannedRepository
	for _, r := range made.Repositories {
		if r.DeletingPolicies > 0 {
			of = append(of, r)
		}
	}
	if len(of) == 0 {
		return
	}
	p.section("May be deleted again", p.s.Warn("by the target's own clean-up policies"))
	for _, r := range of {
		p.say(item, fmt.Sprintf("%s of %s %s images, and may delete what is copied: set them to dry run until the migration is verified, and look whether they are meant for these images.",
			term.Count(r.DeletingPolicies, "clean-up policy"), r.URI.String(), verb(r.DeletingPolicies, "deletes", "delete")), nil)
	}
}

// left says what the target has and keeps.
func (p *page) left(made document.Plan, n names, path string) {
	d := made.Difference
	if d.PresentManifests+d.PresentTags+d.ExtraImages+len(d.ForeignTags) == 0 {
		return
	}
	p.section("Left as it is", "")
	if d.PresentManifests+d.PresentTags > 0 {
		p.say(item, term.Count(d.PresentManifests, "image")+" and "+term.Count(d.PresentTags, "tag")+" that are there and right.", nil)
	}
	if d.ExtraImages > 0 {
		p.say(item, term.Count(d.ExtraImages, "image")+" at the target that no source has.", nil)
	}
	if len(d.ForeignTags) == 0 {
		return
	}
	p.say(item, fmt.Sprintf(`%s that somebody else moved at the target ("copy --overwrite" takes %s):`,
		term.Count(len(d.ForeignTags), "tag"), verb(len(d.ForeignTags), "it", "them")), p.s.Warn)
	wanted := wantedTags(made, d.ForeignTags)
	t := &term.Table{Indent: detail, Columns: []term.Column{{Head: "Tag", Shrink: true}, {Head: "At the target"}, {Head: "At the source"}}}
	shown := p.most(len(d.ForeignTags), maxCases)
	for i, f := range d.ForeignTags[:shown] {
		t.Row(reference(n.targetText(f.Target.String()), f.Tag, ""), term.ShortDigest(f.Digest), described(wanted[i], ""))
	}
	p.table(t)
	p.more(detail, len(d.ForeignTags)-shown, allIn(path))
}

// wantedTags are the digests that the plan has for tags.
func wantedTags(made document.Plan, tags []document.Tag) []digest.Digest {
	type key struct {
		target ref.TargetImage
		tag    string
	}
	at := map[key]int{}
	for i, t := range tags {
		at[key{t.Target, t.Tag}] = i
	}
	out := make([]digest.Digest, len(tags))
	for _, image := range made.Images {
		for _, r := range image.References {
			for _, tag := range r.Tags {
				if i, ok := at[key{image.Target, tag}]; ok {
					out[i] = r.Digest
				}
			}
		}
	}
	return out
}

// planSentence is what one signs.
func planSentence(made document.Plan) string {
	d := made.Difference
	var parts []string
	if d.CreateRepositories > 0 {
		parts = append(parts, "create "+term.Count(d.CreateRepositories, "repository"))
	}
	if d.CopyManifests > 0 {
		parts = append(parts, "copy "+term.Count(d.CopyManifests, "image")+" ("+term.Bytes(d.CopyBytes)+")")
	}
	if n := d.SetTags + d.MoveTags; n > 0 {
		parts = append(parts, "set "+term.Count(n, "tag"))
	}
	refused := ""
	if list := refusedInScope(made.Refused); len(list) > 0 {
		refused = " Refused, as said above: " + refusedWhat(list) + "."
	}
	if len(parts) > 0 {
		last := len(parts) - 1
		list := strings.Join(parts[:last], ", ") + map[bool]string{true: " and "}[last > 0] + parts[last]
		return "This will " + list + ". Nothing is deleted, on either side." + refused
	}
	if d.PresentManifests > 0 {
		return fmt.Sprintf("Nothing to do: %s and %s are there already.", term.Count(d.PresentManifests, "image"), term.Count(d.PresentTags, "tag")) + refused
	}
	return "Nothing to do: there is no image to copy" + within(made.Scope) + "." + refused
}

// measured is one target image with all that the plan holds for it.
type measured struct {
	name, from   string
	images, tags int
	size         int64 // bytes, what its images share once
}

// measure measures the plan's targets, the largest first.
func measure(made document.Plan, n names) []measured {
	position := make(map[digest.Digest]int, len(made.Manifests))
	for i, m := range made.Manifests {
		position[m.Digest] = i
	}
	manifests, blobs := make([]int, len(made.Manifests)), make([]int, len(made.Blobs)) // the last target that was seen there
	out := make([]measured, 0, len(made.Images))
	for at, image := range made.Images {
		m := measured{name: n.targetText(image.Target.String()), images: len(image.References)}
		from := make([]string, 0, len(image.Sources))
		for _, s := range image.Sources {
			from = append(from, n.source(s))
		}
		m.from = strings.Join(from, ", ")
		var open []digest.Digest
		for _, r := range image.References {
			m.tags += len(r.Tags)
			open = append(open, r.Digest)
		}
		for len(open) > 0 {
			d := open[len(open)-1]
			open = open[:len(open)-1]
			i, ok := position[d]
			if !ok || manifests[i] == at+1 {
				continue
			}
			manifests[i] = at + 1
			m.size += made.Manifests[i].Size
			open = append(open, made.Manifests[i].Children...)
			for _, b := range made.Manifests[i].Blobs {
				if b >= 0 && b < len(blobs) && blobs[b] != at+1 {
					blobs[b] = at + 1
					m.size += made.Blobs[b].Size
				}
			}
		}
		out = append(out, m)
	}
	slices.SortStableFunc(out, func(a, b measured) int { return cmp.Or(cmp.Compare(b.size, a.size), cmp.Compare(a.name, b.name)) })
	return out
}
