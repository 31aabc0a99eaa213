package cutover

import (
	"fmt"
	"slices"
	"time"

	"transship/internal/document"
	"transship/internal/ref"
)

// ECR refreshes lastRecordedPullTime with a delay. FACTS A1.
const pullDelay = 24 * time.Hour

// pulls is who still pulls from ECR since the switch, or with Leave, within the quiet time.
func (j *judge) pulls() document.GateCheck {
	c := document.GateCheck{Name: CheckPulls, Title: "Nobody pulls from ECR any more", State: document.CheckPass}
	if j.Leave {
		c.Title = "Nobody has pulled from ECR for " + days(j.Units, j.Quiet)
	}
	j.recorded()
	unswitched := 0
	var unknown, young []string
	for _, s := range j.repositories {
		if len(s.images) == 0 {
			continue
		}
		since := j.Switched(s.repository)
		switch {
		case since.IsZero():
			unswitched++
			continue
		case j.Leave && j.At.Sub(since) < j.Quiet:
			young = append(young, s.repository.Name)
		}
		if j.Leave {
			since = later(since, j.At.Add(-j.Quiet))
		}
		if p, ok := j.puller(s, since); ok {
			j.out.Pullers = append(j.out.Pullers, p)
			if p.Own {
				unknown = append(unknown, pulled(p))
			}
		}
	}
	slices.SortStableFunc(j.out.Pullers, func(a, b document.Puller) int { return b.At.Compare(a.At) })
	j.tellPulls(&c, unswitched, young, unknown)
	return c
}

func (j *judge) tellPulls(c *document.GateCheck, unswitched int, young, unknown []string) {
	u := j.Units
	var known []string
	for _, p := range j.out.Pullers {
		if !p.Own {
			known = append(known, pulled(p))
		}
	}
	if len(unknown) > 0 {
		c.State = document.CheckUnknown
		c.Evidence = append(c.Evidence, fmt.Sprintf("%s pulled, and ECR recorded the migration's own pulls: it may have been those. %s.", u.Count(len(unknown), "repository"), j.some(unknown)))
		c.Do = []string{"ask CloudTrail who it was", j.cloudTrail()}
		for _, p := range j.Pulls {
			if p.Err == nil && !p.Excluded {
				c.Evidence = append(c.Evidence, "ECR still records the pulls of "+p.Principal+".")
				c.Do = append(c.Do, "keep the migration's own pulls out from now on", p.Exclude)
			} else if p.Err != nil {
				c.Evidence = append(c.Evidence, "Whether ECR records the migration's pulls is not known: "+u.Clean(p.Err.Error())+".")
			}
		}
	}
	if len(known) > 0 {
		c.State = document.CheckFail
		c.Evidence = append(c.Evidence, u.Count(len(known), "repository")+" pulled since: "+j.some(known)+".")
		c.Do = []string{"ask CloudTrail who it is", j.cloudTrail()}
	}
	if len(young) > 0 {
		c.State = document.CheckFail
		c.Evidence = append(c.Evidence, u.Count(len(young), "repository")+" switched less than "+days(u, j.Quiet)+" ago: "+j.some(young)+".")
		c.Do = append(c.Do, "wait until "+moment(j.since().Add(j.Quiet)))
	}
	switch {
	case unswitched > 0 && j.Leave:
		c.State = document.CheckFail
		c.Evidence = append(c.Evidence, "It is not known since when nobody should pull from "+u.Count(unswitched, "repository")+".")
		c.Do = []string{"say when it was, as --switched 2026-01-31"}
	case unswitched > 0:
		c.Evidence = append(c.Evidence, u.Count(unswitched, "repository")+" not switched yet: pulls from ECR are as they should be. Once it is done, say since when with --switched.")
	}
	if len(c.Evidence) == 0 {
		c.Evidence = []string{fmt.Sprintf("No image was pulled since %s, as far as ECR has recorded: it is up to a day late.", moment(j.since()))}
	}
}

// since is the latest moment that repositories were switched at.
func (j *judge) since() time.Time {
	var out time.Time
	for _, s := range j.repositories {
		out = later(out, j.Switched(s.repository))
	}
	return out
}

func pulled(p document.Puller) string {
	what := p.Source.Name
	if len(p.Tags) > 0 {
		what += ":" + p.Tags[0]
	}
	return what + " at " + moment(p.At)
}

// cloudTrail is the command that says who pulled last. BatchGetImage is what a pull begins with.
func (j *judge) cloudTrail() string {
	p := j.out.Pullers[0]
	return fmt.Sprintf("aws cloudtrail lookup-events --region %s --lookup-attributes AttributeKey=EventName,AttributeValue=BatchGetImage --start-time %s",
		p.Source.Registry.Region, p.At.Add(-pullDelay).UTC().Format(time.RFC3339))
}

// puller is the image of a repository that was pulled last, where that was after since.
func (j *judge) puller(s *side, since time.Time) (document.Puller, bool) {
	var last *document.SourceImage
	for n := range s.images {
		if i := &s.images[n]; i.LastPulledAt.After(since) && (last == nil || i.LastPulledAt.After(last.LastPulledAt)) {
			last = i
		}
	}
	if last == nil {
		return document.Puller{}, false
	}
	return document.Puller{
		Source: s.repository, At: last.LastPulledAt, Digest: last.Digest, Tags: last.Tags, Own: j.mayBeOwn(s.repository.Registry, last.LastPulledAt),
	}, true
}

// mayBeOwn reports whether a pull may have been the migration's: ECR records those of now, or did so when somebody looked
// after that pull. An exclusion says what holds from now on, not when it was made.
func (j *judge) mayBeOwn(r ref.Registry, at time.Time) bool {
	for _, p := range j.out.Recorded {
		if p.Registry == r && !at.After(p.SeenAt) {
			return true
		}
	}
	n := slices.IndexFunc(j.Pulls, func(p Pulls) bool { return p.Registry == r })
	return n < 0 || j.Pulls[n].Err != nil || !j.Pulls[n].Excluded
}

// recorded keeps when ECR was last seen to record the migration's pulls.
func (j *judge) recorded() {
	for _, p := range j.Pulls {
		n := slices.IndexFunc(j.Recorded, func(r document.RecordedPulls) bool { return r.Registry == p.Registry })
		switch {
		case p.Err == nil && !p.Excluded:
			j.out.Recorded = append(j.out.Recorded, document.RecordedPulls{Registry: p.Registry, Principal: p.Principal, SeenAt: j.At.UTC()})
		case n >= 0:
			j.out.Recorded = append(j.out.Recorded, j.Recorded[n])
		}
	}
}

// pushes is whether pipelines still push to ECR.
func (j *judge) pushes() document.GateCheck {
	c := document.GateCheck{Name: CheckPushes, Title: "Nobody has pushed to ECR for " + days(j.Units, j.Quiet), State: document.CheckPass}
	var late []string
	var newest time.Time
	for _, s := range j.repositories {
		for _, i := range s.images {
			newest = later(newest, i.PushedAt)
			if i.PushedAt.After(j.At.Add(-j.Quiet)) {
				late = append(late, name(s, "", i)+" at "+moment(i.PushedAt))
			}
		}
	}
	if len(late) > 0 {
		c.State, c.Do = document.CheckFail, []string{"point the pipelines that push there at Artifact Registry, and take their permission to push to ECR away"}
		c.Evidence = []string{j.Units.Count(len(late), "image") + " pushed since: " + j.some(late) + "."}
		return c
	}
	c.Evidence = []string{"The last push was at " + moment(newest) + "."}
	return c
}
