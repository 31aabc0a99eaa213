package cutover

import (
	"errors"
	"fmt"

	"transship/internal/document"
	"transship/internal/stage"
)

// settings is whether what guards the images is set up at the target.
func (j *judge) settings() document.GateCheck {
	c := document.GateCheck{Name: CheckSettings, Title: "What guards the images is set up at the target", State: document.CheckPass}
	u, s := j.Units, j.Settings
	if s.Err != nil {
		c.State, c.Do = document.CheckUnknown, []string{"transship provision"}
		if s.Wrong {
			c.State = document.CheckFail
		}
		if m, missing := errors.AsType[*stage.MissingError](s.Err); missing {
			c.Evidence, c.Do = []string{"There is no plan to compare the settings with."}, []string{"transship " + m.Command}
			return c
		}
		c.Evidence = []string{u.Clean(s.Err.Error()) + "."}
		return c
	}
	var open, left []string
	dry, unfinished := 0, 0
	for _, change := range s.Changes {
		at := change.Repository.String()
		if change.Create {
			open = append(open, at+" (does not exist)")
		} else if !change.Nothing() {
			open = append(open, fmt.Sprintf("%s (%s)", at, u.Count(len(change.Steps), "setting")))
		}
		for _, l := range change.LeftOut {
			left = append(left, fmt.Sprintf("%s (%s: %s)", at, l.Setting, l.Reason))
		}
		if len(change.Settings.Cleanup) > 0 && change.Settings.CleanupDryRun {
			dry++
		}
		if change.Unfinished {
			unfinished++
		}
	}
	if len(open) > 0 {
		c.State, c.Do = document.CheckFail, []string{"transship provision"}
		if s.Finish {
			c.Do[0] += " --finish"
		}
		c.Evidence = append(c.Evidence, u.Count(len(open), "repository")+" not as planned: "+j.some(open)+".")
	}
	if len(left) > 0 {
		c.State = document.CheckFail
		if c.Do == nil {
			c.Do = []string{"transship provision"}
		}
		c.Evidence = append(c.Evidence, u.Count(len(left), "setting")+" that cannot be had as things are: "+j.some(left)+".")
	}
	c.Evidence = append(c.Evidence, u.Count(len(s.Changes), "repository")+" compared with the plan.")
	if unfinished > 0 && !s.Finish {
		c.Evidence = append(c.Evidence, "Tags of "+u.Count(unfinished, "repository")+` become immutable when the sync has ended: "transship provision --finish".`)
	}
	if dry > 0 {
		c.Evidence = append(c.Evidence, "Clean-up is in dry run in "+u.Count(dry, "repository")+", and deletes nothing yet.")
	}
	return c
}
