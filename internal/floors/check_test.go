package floors

import (
	"strings"
	"testing"
)

// inv makes an invented package of the product from paths relative to
// internal; an import with a colon in front is taken as it stands.
func inv(name string, imports ...string) pkg {
	return pkg{ImportPath: abs(name), Imports: absAll(imports)}
}

func abs(name string) string {
	if foreign, ok := strings.CutPrefix(name, ":"); ok {
		return foreign
	}
	return "transship/internal/" + name
}

func absAll(names []string) []string {
	var paths []string
	for _, name := range names {
		paths = append(paths, abs(name))
	}
	return paths
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name string
		pkgs []pkg
		want []string // one part of each message, in order; none: all is well
	}{
		{name: "the real house", pkgs: []pkg{
			inv(":transship/cmd/transship", ":os", "cli"),
			inv("cli", ":os", "cli/demo", "sync", "transfer", "ref"),
			inv("cli/demo", "cloudsim", "cloudsim/ecr", "cli/term"),
			inv("cli/term", ":golang.org/x/term"),
			inv("cloudsim", "cloudsim/ecr"),
			inv("cloudsim/ecr", ":net/http", "cloudsim/store"),
			inv("registry", "ref"),
			inv("registry/oci", "registry", ":net/http"),
			inv("registry/ecr", "registry", ":github.com/aws/aws-sdk-go-v2/service/ecr"),
			inv("transfer", "transfer/queue", "document/journal", ":context"),
			inv("verify", "registry", "document"),
			inv("plan", "document", "ref", ":net/url"),
			inv("floors"),
		}},

		{"upwards", []pkg{inv("ref", "registry")},
			[]string{"floors: transship/internal/ref (floor 0) imports transship/internal/registry (floor 1)"}},
		{"sideways", []pkg{inv("transfer", "inventory")},
			[]string{"floors: transship/internal/transfer (floor 4) imports transship/internal/inventory"}},
		{"sideways among adapters", []pkg{inv("registry/ecr", "registry/oci")},
			[]string{"floors: transship/internal/registry/ecr (floor 2)"}},
		{"a sub-package on a higher floor is its own", []pkg{inv("registry", "registry/oci")}, nil},
		{"siblings in one room", []pkg{inv("cli/demo", "cli/term")}, nil},
		{"a sub-package imports its room", []pkg{inv("transfer/queue", "transfer")},
			[]string{"floors: transship/internal/transfer/queue (floor 4) imports transship/internal/transfer (floor 4)"}},
		{"a sub-package inherits the floor", []pkg{inv("plan/diff", "inventory")},
			[]string{"floors: transship/internal/plan/diff (floor 3)"}},
		{"a like name is another room", []pkg{inv("planner", "ref")},
			[]string{"every package has a floor: transship/internal/planner has none; give it one"}},

		{"the journal in verify", []pkg{inv("verify", "document/journal")},
			[]string{"verify does not know document/journal"}},
		{"transfer below verify", []pkg{inv("verify/deep", "transfer/queue")},
			[]string{"floors: ", "verify does not know transfer: "}},
		{"the journal by a detour", []pkg{inv("verify", "workspace"), inv("workspace", "document/journal")},
			[]string{"floors: ", "verify does not know document/journal: transship/internal/verify → transship/internal/workspace → transship/internal/document/journal"}},

		{"I/O in a pure room", []pkg{inv("plan", ":os", ":net/http", ":net/url", ":time")},
			[]string{"pure: transship/internal/plan imports net/http", "pure: transship/internal/plan imports os"}},
		{"context below a pure room", []pkg{inv("estimate/price", ":context")},
			[]string{"pure: transship/internal/estimate/price imports context"}},

		{"an SDK above the adapters", []pkg{inv("inventory", ":github.com/aws/smithy-go")},
			[]string{"cloud SDKs: transship/internal/inventory imports github.com/aws/smithy-go"}},
		{"an SDK in main", []pkg{inv(":transship/cmd/transship", ":google.golang.org/api/option")},
			[]string{"cloud SDKs: transship/cmd/transship"}},
		{"a like name is no SDK", []pkg{inv("inventory", ":github.com/awslabs/x", ":google.golang.org/apiary")}, nil},
		{"an SDK in a test", []pkg{{ImportPath: abs("verify"), TestImports: []string{"cloud.google.com/go/auth"}}},
			[]string{"cloud SDKs: transship/internal/verify imports cloud.google.com/go/auth"}},
		{"an SDK in an external test", []pkg{{ImportPath: abs("cli"), XTestImports: []string{"github.com/aws/smithy-go"}}},
			[]string{"cloud SDKs: transship/internal/cli"}},
		{"an SDK in a test of the clouds", []pkg{{ImportPath: abs("cloudsim/ecr"), XTestImports: []string{"github.com/aws/smithy-go"}}}, nil},
		{"an SDK in the clouds", []pkg{inv("cloudsim/ecr", ":github.com/aws/smithy-go")},
			[]string{"cloud SDKs: transship/internal/cloudsim/ecr"}},

		{"the clouds use the product", []pkg{inv("cloudsim/ar", "ref")},
			[]string{"embedded clouds stand alone: transship/internal/cloudsim/ar imports transship/internal/ref"}},
		{"the product uses the clouds", []pkg{inv("transfer", "cloudsim/ecr")},
			[]string{"embedded clouds are for cli and tests: transship/internal/transfer imports"}},
		{"main uses the clouds", []pkg{inv(":transship/cmd/transship", "cloudsim")},
			[]string{"embedded clouds are for cli and tests: transship/cmd/transship"}},
		{"a test uses the clouds", []pkg{{ImportPath: abs("transfer"), TestImports: []string{abs("cloudsim")}}}, nil},

		{"a name that says nothing", []pkg{inv("transfer/util"), inv("common")}, []string{
			"every package has a floor: transship/internal/common",
			"names: transship/internal/common",
			"names: transship/internal/transfer/util",
		}},
		{"outside internal", []pkg{inv(":transship/pkg/api"), inv(":transship/cmd/other")},
			[]string{"inside: transship/cmd/other", "inside: transship/pkg/api"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := transship().check(test.pkgs)
			ok := len(got) == len(test.want)
			for i := 0; ok && i < len(got); i++ {
				ok = strings.Contains(got[i], test.want[i])
			}
			if !ok {
				t.Errorf("messages:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(test.want, "\n  "))
			}
		})
	}
}
