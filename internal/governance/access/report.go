package access

import (
	"fmt"
	"slices"
	"strings"

	"transship/internal/document"
)

// report says of every statement what became of it.
type report struct {
	public bool
	roles  map[claim][]string // with the member, or without one
}

// claim is that a policy gives somebody something.
type claim struct{ source, principal string }

func newReport(public bool, grants []document.Grant) *report {
	r := &report{public: public, roles: map[claim][]string{}}
	for _, g := range grants {
		for _, s := range g.Sources {
			c := claim{s, g.Principal}
			if !slices.Contains(r.roles[c], g.Role) {
				r.roles[c] = append(r.roles[c], g.Role)
			}
		}
	}
	return r
}

// policy is what became of one policy. arn is the repository that it belongs to, empty for a registry's.
func (r *report) policy(p reading, arn string) (out []document.Translation) {
	if p.dark() {
		t := document.Translation{
			Setting: document.SettingPermission, Was: fmt.Sprintf("a policy of %d bytes", p.bytes), Fate: document.FateRefused,
			Decide: "read it, and grant by hand what is needed",
		}
		if p.unread {
			t.Was, t.Reason = "a policy, perhaps", "it could not be read from ECR."
		} else {
			t.Reason = p.err.Error() + "."
		}
		return []document.Translation{t}
	}
	if p.bytes > 0 && len(p.policy.Statements) == 0 {
		return []document.Translation{{
			Setting: document.SettingPermission, Was: "a policy without statements", Fate: document.FateNeedless, Reason: "it says nothing.",
		}}
	}
	for i, s := range p.policy.Statements {
		item := s.Sid
		if item == "" {
			item = fmt.Sprintf("statement %d", i+1)
		}
		for _, t := range r.statement(p, s, arn) {
			t.Setting, t.Item = document.SettingPermission, item
			if t.Was == "" {
				t.Was = s.describe()
			}
			out = append(out, t)
		}
	}
	return out
}

// refused is a translation that a person has to make.
func refused(was, reason, decide string) document.Translation {
	return document.Translation{Was: was, Fate: document.FateRefused, Reason: reason, Decide: decide}
}

func (r *report) statement(p reading, s Statement, arn string) []document.Translation {
	one := func(t document.Translation) []document.Translation { return []document.Translation{t} }
	whom := s.whom()
	switch {
	case !s.Allow && s.tls:
		return one(document.Translation{Fate: document.FateNeedless, Reason: "Artifact Registry answers over TLS alone."})
	case arn != "" && !s.covers(arn) && !s.variable():
		return one(document.Translation{Fate: document.FateNeedless, Reason: "its Resource is not the repository that it belongs to, so it says nothing."})
	case !s.Allow:
		return one(refused("", "a repository of Artifact Registry can only allow; deny policies belong to projects.",
			"see that no grant, here or on the project, gives what this denies to "+whom))
	case s.NotPrincipals:
		return one(refused("", "NotPrincipal allows it to everybody who is not named.", "decide who is meant, and grant it to them by hand"))
	case s.NotActions:
		return one(refused("", "NotAction allows all that is not named, whatever that may be.", "decide what "+whom+" should be able to do, and grant it by hand"))
	case s.NotResources || s.variable():
		return one(refused("", "what it is about is not named, but what it is not about, or a variable.", "decide what "+whom+" should be able to do, and grant it by hand"))
	case s.Condition != "":
		return one(refused("", "it holds under a condition, which a grant would not have: "+shorten(s.Condition, 2000)+".",
			"decide whether "+whom+" may do it without the condition, and grant it by hand"))
	}
	return r.allow(p, s, arn != "")
}

// allow is what became of a statement that allows exactly what it says.
func (r *report) allow(p reading, s Statement, ofRepository bool) (out []document.Translation) {
	m := read(s.Actions)
	var named []Principal
	for _, who := range s.Principals {
		switch {
		case who.nameable():
			named = append(named, who)
		case who.Kind == Everyone && r.public:
			named = append(named, who)
			if beyond := m.set &^ within(0); beyond != 0 {
				out = append(out, refused("allows "+few(beyond.names())+" to everyone", "the public is given no more than "+RoleReader+".", "name in ECR who needs it, or grant it by hand"))
			}
		case who.Kind == Everyone && m.set != 0:
			out = append(out, refused("", "it is open to everyone, and allUsers would not even need to sign in.",
				"ask with --allow-public for a suggestion, which reads and no more, or name in ECR who needs it"))
		case who.Kind != Everyone:
			out = append(out, refused("", fmt.Sprintf("%s: %s", short(who.ID), nobody(who.Kind)), "decide who is meant, and grant it to them by hand"))
		}
	}
	if m.set != 0 && len(named) > 0 {
		out = append([]document.Translation{r.suggested(p, s, m.set, named, ofRepository)}, out...)
	}
	whom := s.whom()
	for _, c := range []class{manages, creates, imports, copies, registers, nothing} {
		actions := m.named[c]
		if ofRepository && c == manages || !ofRepository && c != nothing && c != manages {
			actions = append(slices.Clone(actions), m.wild[c]...)
		}
		if len(actions) > 0 {
			t := beyond(c, whom)
			t.Was = "allows " + few(actions) + " to " + whom
			out = append(out, t)
		}
	}
	if len(m.unknown) > 0 {
		out = append(out, refused("allows "+few(m.unknown)+" to "+whom, "that is no known action of ECR.", "look up what it means, and grant by hand what is needed"))
	}
	if len(out) == 0 {
		out = append(out, document.Translation{Fate: document.FateNeedless, Reason: "it allows nothing that Artifact Registry has."})
	}
	return out
}

// suggested says which roles came of a statement. Other statements may have had their part in them.
func (r *report) suggested(p reading, s Statement, actions set, named []Principal, ofRepository bool) document.Translation {
	var becomes, without []string
	for _, who := range named {
		roles := r.roles[claim{p.name, who.ID}]
		if len(roles) == 0 {
			without = append(without, who.String())
			continue
		}
		for _, role := range roles {
			becomes = append(becomes, role+" for "+who.String())
		}
	}
	t := document.Translation{Was: s.describe(), Becomes: strings.Join(becomes, ", "), Fate: document.FateSuggested}
	switch {
	case len(becomes) == 0 && ofRepository:
		return refused(t.Was, "other statements deny all of it.", "see that no grant elsewhere, such as on the project, gives it to "+s.whom())
	case len(becomes) == 0:
		t.Fate, t.Reason = document.FateNeedless, "no repository of this migration needs it: none matches, or its own policy allows the same."
	case len(without) > 0:
		t.Reason = "nothing is left for " + few(without) + ": other statements deny it, or allow the same."
	case actions&setOf("ListImages") == 0:
		t.Reason = "a reader of Artifact Registry also lists what the repository holds."
	}
	return t
}

// beyond is what became of actions that no suggested role covers.
func beyond(c class, whom string) document.Translation {
	switch c {
	case manages:
		return refused("", "in Artifact Registry that is roles/artifactregistry.admin, for everything in the target repository: it is never suggested.",
			"give it by hand to those of "+whom+" who should administrate the target repository")
	case creates:
		return refused("", "Artifact Registry creates no repository on a push: provision does, and images need none of their own.",
			"give artifactregistry.repositories.create on the project to whoever should create repositories")
	case imports:
		return refused("", "Artifact Registry fills no standard repository from elsewhere: a remote repository does that.",
			"create a remote repository for what is pulled through, if it is still needed")
	case copies:
		return refused("", "Artifact Registry has no replication.", `push to both places, or keep them in step by "transship sync"`)
	case registers:
		return refused("", "it is about the registry's own settings, which Artifact Registry does not have in this form.", "decide who should administrate Artifact Registry in the project")
	}
	return document.Translation{Fate: document.FateNeedless, Reason: "Artifact Registry has nothing that needs this permission on a repository."}
}

// nobody says why no member can stand for a principal.
func nobody(k Kind) string {
	switch k {
	case Gone:
		return "it was deleted in AWS."
	case Federated:
		return "it stands for all who sign in by this provider."
	case CanonicalUser:
		return "canonical users belong to S3."
	}
	return "it is no principal that is known, or has a wildcard."
}

// describe is a statement in a few words.
func (s Statement) describe() string {
	verb, all := "denies ", ""
	if s.Allow {
		verb = "allows "
	}
	if s.NotActions {
		all = "all but "
	}
	return verb + all + few(clean(s.Actions)) + " to " + s.whom()
}

// whom names the principals of a statement.
func (s Statement) whom() string {
	names := make([]string, 0, len(s.Principals))
	for _, p := range s.Principals {
		names = append(names, p.String())
	}
	if s.NotPrincipals {
		return "everybody but " + few(names)
	}
	return few(names)
}

func clean(texts []string) []string {
	out := make([]string, 0, len(texts))
	for _, t := range texts {
		out = append(out, short(t))
	}
	return out
}

// variable reports whether a resource has a variable in it, which AWS fills in at each request.
func (s Statement) variable() bool {
	return slices.ContainsFunc(s.Resources, func(r string) bool { return strings.Contains(r, "${") })
}
