package retention

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/governance/image"
	"transship/internal/governance/lifecycle"
)

// source is a Source on its way.
type source struct {
	Source
	policy   lifecycle.Policy
	parts    []part
	refused  *refusal
	evidence []digest.Digest // that refused it
	dueToday []digest.Digest // sorted
	expires  []image.Moment  // when ECR deletes each image
	due      map[int]int     // by the priority of a rule: how many images it deletes today
	copied   []int           // positions of the images that are copied
}

// refusal says why a policy is not translated.
type refusal struct{ reason, decide string }

const lookAt = "Look at the policy in ECR, and set what you need in Artifact Registry by hand."

// newSource reads the policy and plays ECR.
func newSource(in Source, now time.Time, leaveOut bool) *source {
	s := &source{Source: in, due: map[int]int{}}
	if in.Policy != "" {
		policy, err := lifecycle.Parse(in.Policy)
		switch {
		case err != nil:
			s.refuse(fmt.Sprintf("Not understood: %v.", err), lookAt)
		case len(policy.Problems) > 0:
			s.refuse(strings.Join(policy.Problems, " ")+" What is not understood is not guessed.", lookAt)
		}
		s.policy = policy
	}
	if s.refused == nil {
		s.parts = partsOf(s.policy, in.Images)
	}
	for n, v := range lifecycle.Evaluate(s.policy, in.Images, now) {
		s.expires = append(s.expires, v.Expires)
		due := v.Expires.Passed(now)
		if due {
			s.due[v.Rule]++
			s.dueToday = append(s.dueToday, in.Images[n].Digest)
		}
		if !in.Images[n].Archived && (!leaveOut || !due) {
			s.copied = append(s.copied, n)
		}
	}
	slices.Sort(s.dueToday)
	return s
}

// refuse gives up the source's policy, where it has one; the first reason stands.
func (s *source) refuse(reason, decide string) {
	if s.refused == nil && s.Policy != "" {
		s.refused = &refusal{reason, decide}
	}
}

// templates is what the source's policy needs; nothing where it was refused.
func (s *source) templates() []template {
	if s.refused != nil {
		return nil
	}
	return templatesOf(s.parts)
}

// families is how many manifests the largest image has: itself, what it holds, and what describes it.
func families(images []image.Image) int {
	graph := image.NewGraph(images)
	largest := 0
	below := make([]int, len(images))
	for n := range images {
		seen := map[int]bool{n: true}
		for queue := []int{n}; len(queue) > 0; queue = queue[1:] {
			above := []int{}
			if graph.Child(queue[0]) {
				above = append(above, graph.Parents[queue[0]]...)
			}
			if graph.Referrer(queue[0]) {
				above = append(above, graph.Subject[queue[0]])
			}
			for _, a := range above {
				if !seen[a] {
					seen[a] = true
					queue = append(queue, a)
					below[a]++
					largest = max(largest, below[a])
				}
			}
		}
	}
	return 1 + largest
}
