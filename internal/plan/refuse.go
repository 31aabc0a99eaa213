package plan

import (
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
)

// unmappable refuses a repository that the mapping leads nowhere, or to a name that Artifact Registry would refuse.
func unmappable(repo ref.Repository, t ref.TargetImage, err error) document.Refusal {
	if errors.Is(err, ref.ErrUnmapped) {
		return document.Refusal{Source: repo, Rule: document.RuleUnmapped,
			Reason: err.Error() + ": add a mapping for it, name a default target with --to, or exclude it"}
	}
	return document.Refusal{Source: repo, Target: t.String(), Rule: document.RuleName,
		Reason: err.Error() + ": add a mapping that gives it another name, or exclude it"}
}

// cached refuses a repository that ECR fills from another registry: what it holds is not the team's own.
func cached(s *source) document.Refusal {
	return document.Refusal{Source: s.repo, Rule: document.RulePullThrough, Reason: "it is a pull-through cache that ECR fills from " + s.upstream +
		": create an Artifact Registry remote repository for that registry, which does the same, or take what is cached along with --pull-through"}
}

// verdict is why a manifest is refused; the zero value lets it pass.
type verdict struct{ rule, reason string }

// judge says which manifests of a group can be at the target.
type judge struct {
	maker *maker
	group *group
	known map[digest.Digest]verdict // of indexes: what has no children is judged again sooner than looked up
	depth int
}

// maxDepth bounds indexes within indexes: no runtime uses such an image.
const maxDepth = 32

// judge says why d is refused, if it is.
func (j *judge) judge(d digest.Digest) verdict {
	if v := j.status(d); v.rule != "" {
		return v
	}
	entry, ok := j.maker.content[d]
	switch {
	case !ok:
		return verdict{document.RuleUnreadable, j.maker.unread.reason(j.group, d)}
	case entry.Problem != "":
		return verdict{document.RuleUnreadable, "its manifest is not understood: " + entry.Problem + ": push it to ECR in a format of today, or leave it behind"}
	case len(entry.Children) == 0:
		return verdict{}
	}
	if v, ok := j.known[d]; ok {
		return v
	}
	v := verdict{document.RuleIncomplete, fmt.Sprintf("indexes are nested deeper than %d, or within themselves: leave it behind", maxDepth)}
	if j.depth < maxDepth {
		j.known[d] = v // for what is within itself
		j.depth++
		v = j.children(entry)
		j.depth--
	}
	j.known[d] = v
	return v
}

// children says why an index is refused for the sake of a child, if it is.
func (j *judge) children(entry document.ContentEntry) verdict {
	for _, c := range entry.Children {
		if v := j.judge(c.Digest); v.rule != "" {
			what := c.Digest.String()
			if c.Platform != "" {
				what += " (" + c.Platform + ")"
			}
			return verdict{document.RuleIncomplete, "it needs " + what + ", which is refused: " + v.reason}
		}
	}
	return verdict{}
}

// status refuses what no source of the group can serve.
func (j *judge) status(d digest.Digest) verdict {
	status := ""
	for _, s := range j.group.sources {
		i := s.find(d)
		if i == nil {
			continue
		}
		if i.Status == document.StatusActive {
			return verdict{}
		}
		status = max(status, i.Status)
	}
	switch status {
	case "": // a child that is not listed itself
		return verdict{}
	case document.StatusActivating:
		return verdict{document.RuleArchived, "ECR is restoring it from its archive: wait until it is ACTIVE, then run the inventory and the plan again"}
	}
	return verdict{document.RuleArchived, `ECR has archived it, so that it cannot be pulled: restore it with "aws ecr update-image-storage-class --target-storage-class STANDARD" ` +
		`(this takes some 20 minutes), then run the inventory and the plan again; or leave it behind`}
}

// unread says why manifests are not in the content.
type unread struct {
	manifests    map[digest.Digest]string
	repositories map[string]string // whole repositories, by their text
}

func newUnread(failures []document.Failure) unread {
	u := unread{manifests: map[digest.Digest]string{}, repositories: map[string]string{}}
	for _, f := range failures {
		why := f.Error
		if f.Hint != "" {
			why += " (" + f.Hint + ")"
		}
		if f.Digest == "" {
			u.repositories[f.Source] = max(u.repositories[f.Source], why)
		} else {
			u.manifests[f.Digest] = max(u.manifests[f.Digest], why)
		}
	}
	return u
}

func (u unread) reason(g *group, d digest.Digest) string {
	why, ok := u.manifests[d]
	for _, s := range g.sources {
		if !ok {
			why, ok = u.repositories[s.repo.String()]
		}
	}
	if !ok {
		why = "ECR did not serve it"
	}
	return "its manifest could not be read: " + why + ": make the plan again, or leave it behind"
}
