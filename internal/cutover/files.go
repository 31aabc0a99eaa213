package cutover

import (
	"fmt"
	"strings"

	"transship/internal/document"
	"transship/internal/rewrite/mention"
)

// references is whether something still leads to ECR, in files or in clusters.
func (j *judge) references() document.GateCheck {
	c := document.GateCheck{Name: CheckReferences, Title: "Nothing refers to ECR any more", State: document.CheckPass}
	if j.Files == nil && len(j.Clusters) == 0 {
		c.State, c.Evidence = document.CheckUnknown, []string{"No files and no cluster were named."}
		c.Do = []string{"name the files that deploy, and what a cluster runs (--cluster)"}
		return c
	}
	if j.Files == nil {
		c.Evidence = append(c.Evidence, "No files were named.")
	} else {
		j.files(&c)
	}
	for _, cluster := range j.Clusters {
		j.cluster(&c, cluster)
	}
	if len(j.Clusters) == 0 {
		c.Evidence = append(c.Evidence, "No cluster was named.")
	}
	return c
}

func (j *judge) files(c *document.GateCheck) {
	u, f := j.Units, j.Files
	if j.Verification == nil {
		c.State, c.Do = document.CheckUnknown, []string{"transship verify"}
		c.Evidence = append(c.Evidence, "Nothing was verified yet, so no reference can be moved.")
		return
	}
	if f.Err != nil {
		c.State, c.Do = document.CheckUnknown, []string{"mend that, and look again"}
		c.Evidence = append(c.Evidence, "The files could not be looked at: "+u.Clean(f.Err.Error())+".")
		return
	}
	where := u.Count(f.There.Files, "file") + " below " + u.Clean(strings.Join(f.Paths, ", "))
	var open, later []string
	for _, m := range f.There.Findings {
		at := fmt.Sprintf("%s:%d (%s)", m.File, m.Line, m.Kind)
		switch {
		case m.Kind == mention.OtherRegistry: // stays whatever becomes of this migration
		case !j.Leave && waits(m.Kind):
			later = append(later, at)
		default:
			open = append(open, at)
		}
	}
	var edits []string
	for _, e := range f.There.Edits {
		edits = append(edits, fmt.Sprintf("%s:%d", e.File, e.Line))
	}
	if len(edits)+len(open) == 0 {
		c.Evidence = append(c.Evidence, "No reference in "+where+" leads to ECR.")
	}
	if len(edits) > 0 {
		c.State, c.Do = document.CheckFail, []string{"transship rewrite " + strings.Join(f.Paths, " ") + " --write"}
		c.Evidence = append(c.Evidence, u.Count(len(edits), "reference")+" in "+where+" still to be rewritten: "+j.some(edits)+".")
	}
	if len(open) > 0 {
		c.State = document.CheckFail
		if c.Do == nil {
			c.Do = []string{"transship rewrite " + strings.Join(f.Paths, " ")}
		}
		c.Evidence = append(c.Evidence, u.Count(len(open), "finding")+" in "+where+" to decide about: "+j.some(open)+".")
	}
	if len(later) > 0 {
		c.Evidence = append(c.Evidence, u.Count(len(later), "finding")+" of what may stay until ECR is left: "+j.some(later)+".")
	}
}

// waits reports whether a kind of finding is no matter of whoever pulls: what pushes to ECR, makes its repositories or
// names their ARNs is moved later, or taken away when ECR is left.
func waits(k mention.Kind) bool {
	switch k {
	case mention.Producer, mention.ECRResource, mention.ARN, mention.CleanUp:
		return true
	}
	return false
}

// cluster is what one cluster uses. Before the switch it runs from ECR, as it must: then what it uses has to have arrived.
func (j *judge) cluster(c *document.GateCheck, k Cluster) {
	u := j.Units
	var open []string
	switched, arrived := j.switched(), 0
	for _, use := range k.Uses.Uses {
		if use.Migrated && !switched {
			arrived++
			continue
		}
		open = append(open, use.Kind+" "+strings.TrimPrefix(use.Namespace+"/"+use.Name, "/")+" ("+use.Image+")")
	}
	where := u.Clean(k.Name) + ", " + u.Count(k.Uses.Objects, "object")
	switch {
	case len(open) > 0 && switched:
		c.State = document.CheckFail
		c.Evidence = append(c.Evidence, u.Count(len(open), "use")+" of ECR in the cluster of "+where+": "+j.some(open)+".")
	case len(open) > 0:
		c.State = document.CheckFail
		c.Evidence = append(c.Evidence, u.Count(len(open), "use")+" of ECR in the cluster of "+where+", that did not arrive: "+j.some(open)+".")
	case arrived > 0:
		c.Evidence = append(c.Evidence, "All that the cluster of "+where+" uses of ECR has arrived: "+u.Count(arrived, "use")+".")
	default:
		c.Evidence = append(c.Evidence, "The cluster of "+where+" uses nothing of ECR.")
	}
	if len(open) > 0 {
		c.Do = append(c.Do, "transship rewrite --cluster "+k.Path)
	}
}

// rollback is whether the way back is proved.
func (j *judge) rollback() document.GateCheck {
	c := document.GateCheck{Name: CheckRollback, Title: "The way back to ECR works", State: document.CheckPass}
	u, f := j.Units, j.Files
	if f == nil || f.Err != nil {
		c.State, c.Evidence = document.CheckUnknown, []string{"No files were looked at."}
		c.Do = []string{"name the files that deploy"}
		return c
	}
	exact, byName := f.exact()
	var open, there []string
	for _, m := range f.Back.Findings {
		at := fmt.Sprintf("%s:%d (%s)", m.File, m.Line, m.Kind)
		if m.Kind == mention.TargetOnly {
			there = append(there, at)
		} else {
			open = append(open, at)
		}
	}
	switch {
	case len(open) > 0:
		c.State, c.Do = document.CheckFail, []string{"transship rewrite " + strings.Join(f.Paths, " ") + " --reverse"}
		c.Evidence = append(c.Evidence, u.Count(len(open), "finding")+" on the way back: "+j.some(open)+".")
	case exact+byName == 0:
		c.State, c.Do = document.CheckUnknown, []string{"transship rewrite " + strings.Join(f.Paths, " ") + " --write"}
		c.Evidence = append(c.Evidence, "Nothing in the files leads to the target yet, so no way back could be tried.")
	}
	if exact+byName > 0 {
		c.Evidence = append(c.Evidence, fmt.Sprintf("%s led back on trial: %s byte for byte as before the rewrite, %s by name.",
			u.Count(exact+byName, "file"), u.Number(exact), u.Number(byName)))
	}
	if len(there) > 0 {
		c.Evidence = append(c.Evidence, u.Count(len(there), "reference")+" in files that would have no image in ECR: "+j.some(there)+".")
	}
	if n := len(j.out.OnlyTarget); n > 0 {
		var names []string
		for _, t := range j.out.OnlyTarget {
			names = append(names, onlyName(t))
		}
		c.Evidence = append(c.Evidence, u.Count(n, "image")+" only at the target, which a way back would not find: "+j.some(names)+".")
	} else {
		c.Evidence = append(c.Evidence, "Every image at the target is in ECR, too.")
	}
	return c
}

// exact counts the files that the way back restores as they were before the first rewrite, and those that it leads back by
// what their names say.
func (f *Files) exact() (exact, byName int) {
	before := map[string]bool{}
	for _, c := range f.Past {
		before[c.Before.String()] = true
	}
	for _, c := range f.Back.Changes {
		if before[c.After.String()] {
			exact++
		} else {
			byName++
		}
	}
	return exact, byName
}
