package text

import (
	"io"
	"testing"

	"transship/internal/doctor"
)

// TestDoctor has permissions that are there, which are one line, and one that is not, which stands by itself.
func TestDoctor(t *testing.T) {
	groups := []doctor.Group{{Side: doctor.SideSource, Subject: east.Host(), Checks: []doctor.Check{
		{Name: "clock", Status: doctor.Pass, Detail: "agrees"},
		{Name: "ecr:DescribeImages", Status: doctor.Pass, Detail: "allowed on a"},
		{Name: "ecr:BatchGetImage", Status: doctor.Fail, Detail: "denied on a", Remedy: []string{"allow ecr:BatchGetImage"}},
		{Name: "ecr:GetLifecyclePolicy", Status: doctor.Pass, Detail: "allowed on a"},
	}}, {Side: doctor.SideTarget, Subject: images.String(), Checks: []doctor.Check{
		{Name: "artifactregistry.repositories.get", Status: doctor.Pass, Detail: "allowed on app-images"},
	}}}
	golden(t, "doctor", func(w io.Writer, o Options) {
		Doctor(w, o, doctor.Report{Groups: groups, Passed: 4, Failed: 1})
		Doctor(w, o, doctor.Report{Groups: groups[1:], Passed: 1})
	})
}
