package layout

import (
	"strings"
	"testing"

	"transship/internal/document"
)

func TestCanonicalLifecycle(t *testing.T) {
	const one = `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":7},"action":{"type":"expire"}}]}`
	for _, test := range []struct {
		name, a, b string
		equal      bool
	}{
		{"white space and order of keys", one, "{ \"rules\": [ {\n \"action\": {\"type\":\"expire\"}, \"rulePriority\":1, \"selection\":{\"countNumber\":7,\"tagStatus\":\"untagged\",\"countType\":\"sinceImagePushed\",\"countUnit\":\"days\"}}]}\n", true},
		{"a description", one, strings.Replace(one, `"rulePriority":1`, `"rulePriority":1,"description":"old ones"`, 1), true},
		{"another priority, the same order", one, strings.Replace(one, `"rulePriority":1`, `"rulePriority":10`, 1), true},
		{"another number", one, strings.Replace(one, `:7`, `:8`, 1), false},
		{"another key", one, strings.Replace(one, `"rulePriority":1`, `"rulePriority":1,"storageClass":"archive"`, 1), false},
		{"rules in another order", `{"rules":[{"rulePriority":2,"x":"b"},{"rulePriority":1,"x":"a"}]}`, `{"rules":[{"rulePriority":5,"x":"a"},{"rulePriority":9,"x":"b"}]}`, true},
		{"rules whose priorities differ", `{"rules":[{"rulePriority":2,"x":"b"},{"rulePriority":1,"x":"a"}]}`, `{"rules":[{"rulePriority":1,"x":"b"},{"rulePriority":2,"x":"a"}]}`, false},
		{"tags in another order", `{"rules":[{"rulePriority":1,"selection":{"tagPrefixList":["b","a","b"]}}]}`, `{"rules":[{"rulePriority":1,"selection":{"tagPrefixList":["a","b"]}}]}`, true},
		{"other tags", `{"rules":[{"rulePriority":1,"selection":{"tagPrefixList":["a"]}}]}`, `{"rules":[{"rulePriority":1,"selection":{"tagPatternList":["a"]}}]}`, false},
		{"none and empty", "", " \n", true},
		{"none and no rules", "", `{"rules":[]}`, false},
		{"one priority twice", `{"rules":[{"rulePriority":1,"x":"a"},{"rulePriority":1,"x":"b"}]}`, `{"rules":[{"rulePriority":1,"x":"b"},{"rulePriority":1,"x":"a"}]}`, false},
		{"a key twice", `{"rules":[],"rules":[{"rulePriority":1}]}`, `{"rules":[{"rulePriority":1}]}`, false},
		{"broken", `{"rules":`, ` {"rules":`, false},
		{"more behind it", one, one + "{}", false},
		{"what is no character", `{"rules":[],"x":"\ud800"}`, `{"rules":[],"x":"\ud801"}`, false},
		{"numbers as they are written", `{"rules":[{"rulePriority":1,"n":1.0}]}`, `{"rules":[{"rulePriority":1,"n":1}]}`, false},
		{"a priority that is none", `{"rules":[{"rulePriority":"1","description":"a"}]}`, `{"rules":[{"rulePriority":"1","description":"b"}]}`, false},
		{"far too deep", strings.Repeat("[", 9999), strings.Repeat("[", 9998), false},
	} {
		a, b := CanonicalLifecycle(test.a), CanonicalLifecycle(test.b)
		if (a == b) != test.equal {
			t.Errorf("%s:\n%s\n%s", test.name, a, b)
		}
		if CanonicalLifecycle(test.a) != a {
			t.Errorf("%s: it differs from itself", test.name)
		}
	}
}

func TestCanonicalPolicy(t *testing.T) {
	const pull = `{"Version":"2012-10-17","Statement":[{"Sid":"pull","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111111111111:root","arn:aws:iam::222222222222:root"]},"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]}]}`
	for _, test := range []struct {
		name, a, b string
		equal      bool
	}{
		{"ids and order", pull, `{"Id":"x","Statement":{"Effect":"Allow","Action":["ecr:getdownloadurlforlayer","ECR:BatchGetImage","ecr:BatchGetImage"],"Principal":{"AWS":["arn:aws:iam::222222222222:root","arn:aws:iam::111111111111:root"]}},"Version":"2012-10-17"}`, true},
		{"one principal as a text", `{"Statement":[{"Principal":{"AWS":"1"}}]}`, `{"Statement":[{"Principal":{"AWS":["1"]}}]}`, true},
		{"statements in another order", `{"Statement":[{"Action":"a"},{"Action":"b"}]}`, `{"Statement":[{"Action":"b"},{"Action":"a"},{"Sid":"again","Action":"a"}]}`, true},
		{"another account", pull, strings.Replace(pull, "111111111111", "333333333333", 1), false},
		{"deny", pull, strings.Replace(pull, "Allow", "Deny", 1), false},
		{"not those actions", pull, strings.Replace(pull, `"Action"`, `"NotAction"`, 1), false},
		{"a condition", `{"Statement":[{"Action":"a"}]}`, `{"Statement":[{"Action":"a","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`, false},
		{"another version", pull, strings.Replace(pull, "2012", "2008", 1), false},
		{"the case of a resource", `{"Statement":[{"Resource":"a"}]}`, `{"Statement":[{"Resource":"A"}]}`, false},
		{"none", "", "\n", true},
		{"no statements", `{}`, ``, false},
		{"statements that are texts", `{"Statement":["a"]}`, `{"Statement":["a"],"Id":"b"}`, false},
	} {
		if a, b := CanonicalPolicy(test.a), CanonicalPolicy(test.b); (a == b) != test.equal {
			t.Errorf("%s:\n%s\n%s", test.name, a, b)
		}
	}
}

// FuzzCanonical: no text makes it panic, and what is canonical stays as it is.
func FuzzCanonical(f *testing.F) {
	f.Add(`{"rules":[{"rulePriority":1,"selection":{"tagPrefixList":["b","a"]}}]}`)
	f.Add(`{"Statement":{"Sid":"a","Principal":"*","Action":["b","A"]}}`)
	f.Add(`{"rules":[{"rulePriority":1e3}]`)
	f.Fuzz(func(t *testing.T, text string) {
		if got := CanonicalLifecycle(text); (got == "") != (strings.TrimSpace(text) == "") {
			t.Errorf("%q becomes %q", text, got)
		}
		once := CanonicalPolicy(text)
		if strings.HasPrefix(once, verbatim) {
			return
		}
		if twice := CanonicalPolicy(once); twice != once {
			t.Errorf("%q becomes %q, and then %q", text, once, twice)
		}
	})
}

func TestTraitsOf(t *testing.T) {
	const arn, key = "arn:aws:kms:us-east-1:123456789012:key/1", "projects/p/locations/us/keyRings/r/cryptoKeys/k"
	for _, test := range []struct {
		mutability, kms, google string
		want                    Traits
	}{
		{"MUTABLE", "", "", Traits{}},
		{"", "", "", Traits{}},
		{"IMMUTABLE", "", "", Traits{Immutable: true}},
		{"IMMUTABLE_WITH_EXCLUSION", "", "", Traits{}},
		{"MUTABLE_WITH_EXCLUSION", "", "", Traits{}},
		{"A_NEW_ONE", "", "", Traits{}},
		{"MUTABLE", arn, "", Traits{Key: arn}},
		{"MUTABLE", arn, key, Traits{Key: key}},
	} {
		r := document.SourceRepository{TagMutability: test.mutability, KMSKey: test.kms}
		if got := TraitsOf(r, document.RepositorySettings{}, false, test.google); got != test.want {
			t.Errorf("%+v: %+v", test, got)
		}
	}
	got := TraitsOf(document.SourceRepository{}, document.RepositorySettings{Lifecycle: `{ "rules": [] }`, Policy: `{"Statement":[]}`}, true, "")
	if want := (Traits{Cleanup: `{"rules":[]}`, Access: `{"Statement":[]}`, Scanned: true}); got != want {
		t.Errorf("%+v", got)
	}
}
