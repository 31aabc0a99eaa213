package text

import (
	"fmt"
	"io"
	"strings"
	"time"

	"transship/internal/cli/term"
	"transship/internal/document"
	"transship/internal/inventory"
	"transship/internal/registry"
)

// Inventory says what is there on both sides. The path is where the document is; empty where it is nowhere.
func Inventory(w io.Writer, o Options, inv document.Inventory, path string) {
	p, n, s := newPage(w, o), newNames(inv.Migration), inventory.Summarize(inv)
	p.sides(inv, s)
	p.largest(s, n)
	p.oldest(s, n)
	p.archived(s, n, path)
	p.pullThrough(s, n, path)
	if len(inv.Failures) > 0 {
		p.section("Could not be listed", p.s.Bad(term.Count(len(inv.Failures), "failure")))
		p.failures(inv.Failures, n, path)
	}
	next := ""
	if s.Images > 0 {
		next = `Next: "transship plan" says what would be copied, and what it costs.`
	}
	p.end(next, path)
}

// sides counts both sides next to each other.
func (p *page) sides(inv document.Inventory, s inventory.Summary) {
	p.title("Inventory", "")
	for _, r := range inv.Migration.Sources {
		p.line(item, p.s.Faint("from  ")+p.middle(r.Host(), 8))
	}
	if inv.Migration.Target != "" {
		p.line(item, p.s.Faint("to    ")+p.middle(inv.Migration.Target, 8))
	}
	if include, exclude := inv.Scope.Include, inv.Scope.Exclude; len(include)+len(exclude) > 0 {
		p.line(item, p.s.Faint("only  ")+p.middle(scopeText(inv.Scope), 8))
	}
	p.blank()
	target := countTarget(inv.Target)
	t := &term.Table{Indent: item, Columns: []term.Column{{}, {Head: "ECR", Right: true}, {Head: "Artifact Registry", Right: true}}}
	row := func(label string, source, target int) { t.Row(label, term.Number(source), term.Number(target)) }
	row("repositories", s.Repositories, s.TargetRepositories)
	row("images", s.Images, s.TargetImages)
	row("tags", s.Tags, target.tags)
	row("untagged", s.Untagged, target.untagged)
	t.Row("size", term.Bytes(s.Size), term.Bytes(target.size))
	if len(s.Archived) > 0 {
		t.Row("archived", term.Number(len(s.Archived)), "")
	}
	if s.Images > 0 {
		t.Row("never pulled", term.Number(s.NeverPulled), "")
	}
	p.table(t)
	if s.Images > 0 {
		p.say(item, "Sizes count a shared layer each time; the plan says what it comes to.", p.s.Faint)
	} else if s.Failures == 0 {
		p.say(item, "There is no image at the source"+within(inv.Scope)+".", p.s.Warn)
	}
}

func within(s document.Scope) string {
	if len(s.Include)+len(s.Exclude) == 0 {
		return ""
	}
	return " within this scope"
}

// scopeText says a scope in words.
func scopeText(s document.Scope) string {
	text := strings.Join(s.Include, ", ")
	if text == "" {
		text = "all"
	}
	if len(s.Exclude) > 0 {
		text += " but " + strings.Join(s.Exclude, ", ")
	}
	return text
}

type targetCount struct {
	tags, untagged int
	size           int64
}

// countTarget counts as the summary does at the source.
func countTarget(inv document.TargetInventory) targetCount {
	var c targetCount
	for i := range inv.Images {
		image := &inv.Images[i]
		c.tags += len(image.Tags)
		if len(image.Tags) == 0 {
			c.untagged++
		}
		if !registry.IsIndex(image.MediaType) {
			c.size += image.Size
		}
	}
	return c
}

func (p *page) largest(s inventory.Summary, n names) {
	if len(s.LargestRepositories) == 0 {
		return
	}
	p.section("Largest repositories", "")
	t := &term.Table{Indent: item, Columns: []term.Column{
		{Head: "Repository", Shrink: true}, {Head: "Images", Right: true}, {Head: "Tags", Right: true}, {Head: "Size", Right: true},
	}}
	shown := p.most(len(s.LargestRepositories), maxSome)
	for _, r := range s.LargestRepositories[:shown] {
		t.Row(n.source(r.Repository), term.Number(r.Images), term.Number(r.Tags), term.Bytes(r.Size))
	}
	p.table(t)
	where := ""
	if shown < len(s.LargestRepositories) {
		where = " (-v shows more)"
	}
	p.more(item, s.Repositories-shown, where)
}

func (p *page) oldest(s inventory.Summary, n names) {
	if len(s.OldestImages) == 0 {
		return
	}
	p.section("Oldest images", "")
	t := &term.Table{Indent: item, Columns: []term.Column{
		{Head: "Image", Shrink: true}, {Head: "Pushed"}, {Mark: p.s.Faint}, {Head: "Size", Right: true},
	}}
	for _, i := range s.OldestImages[:p.most(len(s.OldestImages), maxFew)] {
		t.Row(imageName(i, n), i.PushedAt.UTC().Format(time.DateOnly), term.Age(i.PushedAt, p.o.Now), term.Bytes(i.Size))
	}
	p.table(t)
}

// pullThrough names the repositories that ECR fills from elsewhere: they stay behind.
func (p *page) pullThrough(s inventory.Summary, n names, path string) {
	if len(s.PullThrough) == 0 {
		return
	}
	p.section("Pull-through caches", "ECR fills them from another registry; an Artifact Registry remote repository does that, too")
	t := &term.Table{Indent: item, Columns: []term.Column{{Head: "Repository", Shrink: true}, {Head: "From"}}}
	shown := p.most(len(s.PullThrough), maxFew)
	for _, c := range s.PullThrough[:shown] {
		t.Row(n.source(c.Repository), c.Upstream)
	}
	p.table(t)
	p.more(item, len(s.PullThrough)-shown, allIn(path))
}

func (p *page) archived(s inventory.Summary, n names, path string) {
	if len(s.Archived) == 0 {
		return
	}
	p.section("Archived", "cannot be pulled, and so not be copied, before they are restored")
	t := &term.Table{Indent: item, Columns: []term.Column{{Head: "Image", Shrink: true}, {Head: "Pushed"}, {Head: "Size", Right: true}}}
	shown := p.most(len(s.Archived), maxFew)
	for _, i := range s.Archived[:shown] {
		t.Row(imageName(i, n), date(i.PushedAt), term.Bytes(i.Size))
	}
	p.table(t)
	p.more(item, len(s.Archived)-shown, allIn(path))
	if s.Restore == nil {
		return
	}
	if !p.o.All {
		p.say(item, "-v shows the commands that restore them.", p.s.Faint)
		return
	}
	p.line(item, "To restore them:")
	for _, command := range s.Restore.Commands {
		p.say(detail, command, p.s.Faint)
	}
	for _, note := range s.Restore.Notes {
		p.say(item, note, p.s.Faint)
	}
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// imageName names an image by its first tag.
func imageName(i inventory.SummaryImage, n names) string {
	if len(i.Tags) == 0 {
		return reference(n.source(i.Repository), "", i.Digest)
	}
	name := reference(n.source(i.Repository), i.Tags[0], "")
	if more := len(i.Tags) - 1; more > 0 {
		name += fmt.Sprintf(" (+%d)", more)
	}
	return name
}
