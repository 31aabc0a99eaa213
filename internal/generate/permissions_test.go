package generate

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"transship/internal/events"
	"transship/internal/ref"
)

func TestPoliciesNameWhatIsMigrated(t *testing.T) {
	t.Parallel()
	one := ref.Registry{Account: "123456789012", Region: "us-east-1"}
	two := ref.Registry{Account: "210987654321", Region: "cn-north-1"}
	scope, err := ref.ParseScope([]string{"team/**", "base/alpin?", two.Host() + "/only/here"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := Migration{Scope: scope, Sources: []Source{{Registry: two}, {Registry: one}, {Registry: one, RoleARN: "arn:aws:iam::123456789012:role/r", WebIdentity: true}}}
	var got []string
	for _, p := range m.AWS() {
		got = append(got, p.Account+" "+p.Role)
		got = append(got, p.Policy.Statement[2].Resource...)
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, forbidden := range []string{"Put", "Delete", "Upload", "Set", "ecr:*"} {
			if strings.Contains(string(b), forbidden) {
				t.Errorf("the policy holds %q: %s", forbidden, b)
			}
		}
	}
	want := []string{
		"123456789012 ", "arn:aws:ecr:us-east-1:123456789012:repository/team/*", "arn:aws:ecr:us-east-1:123456789012:repository/base/alpin?",
		"123456789012 arn:aws:iam::123456789012:role/r", "arn:aws:ecr:us-east-1:123456789012:repository/team/*", "arn:aws:ecr:us-east-1:123456789012:repository/base/alpin?",
		"210987654321 ", "arn:aws-cn:ecr:cn-north-1:210987654321:repository/team/*", "arn:aws-cn:ecr:cn-north-1:210987654321:repository/base/alpin?",
		"arn:aws-cn:ecr:cn-north-1:210987654321:repository/only/here",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(m.Caller().Statement) != 0 {
		t.Error("a role that Google's token assumes needs no AWS caller")
	}
}

// TestPermissionsOfTheSync has what a sync needs besides: the queue where its registry is, and tags to take away.
func TestPermissionsOfTheSync(t *testing.T) {
	t.Parallel()
	one := ref.Registry{Account: "123456789012", Region: "us-east-1"}
	two := ref.Registry{Account: "210987654321", Region: "cn-north-1"}
	m := Migration{Sources: []Source{{Registry: one, RoleARN: "arn:aws:iam::123456789012:role/r"}, {Registry: two}},
		Targets: []ref.TargetRepository{{Location: "us", Project: "p-1", ID: "images"}}}
	if text := m.Google(); strings.Contains(text, "tags.delete") {
		t.Errorf("nobody asked for the removal of tags:\n%s", text)
	}
	for _, url := range []string{"https://sqs.cn-north-1.amazonaws.com.cn/210987654321/ecr", "https://sqs.cn-north-1.amazonaws.com.cn/210987654321/more"} {
		address, err := events.ParseAddress(url)
		if err != nil {
			t.Fatal(err)
		}
		m.Queues = append(m.Queues, address)
	}
	m.DeleteTags = true
	policies := m.AWS()
	if n := len(policies[0].Policy.Statement); n != 3 {
		t.Errorf("the account without a queue has %d statements", n)
	}
	want := Statement{Sid: "TransshipEvents", Effect: "Allow",
		Action:   []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"},
		Resource: []string{"arn:aws-cn:sqs:cn-north-1:210987654321:ecr", "arn:aws-cn:sqs:cn-north-1:210987654321:more"}}
	if diff := cmp.Diff(want, policies[1].Policy.Statement[3]); diff != "" {
		t.Error(diff)
	}
	for _, line := range []string{"--permissions=artifactregistry.tags.delete", "--role=projects/p-1/roles/transshipTagRemover"} {
		if text := m.Google(); !strings.Contains(text, line) {
			t.Errorf("the commands lack %q:\n%s", line, text)
		}
	}
}
