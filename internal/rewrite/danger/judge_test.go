package danger

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"transship/internal/rewrite/mention"
)

const host = "123456789012.dkr.ecr.us-east-1.amazonaws.com"

// TestTable looks at what every rule must have.
func TestTable(t *testing.T) {
	for i, r := range rules {
		if r.section == "" || r.match == nil || mention.Kind("?").Compare(r.kind) <= 0 || !strings.HasSuffix(r.why, ".") || !strings.HasSuffix(r.do, ".") {
			t.Errorf("rule %d: %+v", i, r)
		}
		for _, w := range r.words {
			if w != strings.ToLower(w) {
				t.Errorf("rule %d looks for %q in a text of small letters", i, w)
			}
		}
	}
	for i, c := range classes {
		if c.path == nil && c.text == nil || !strings.HasSuffix(c.why, ".") || !strings.HasSuffix(c.do, ".") {
			t.Errorf("class %d: %+v", i, c)
		}
	}
}

func TestWord(t *testing.T) {
	for text, want := range map[string]bool{
		"ecr": true, "aws ecr get-login": true, "ECR_REGISTRY": true, "MY_ECR": true, "fromEcrRepository": true, "Get-ECRLoginCommand": true,
		"ecrRepository": true, "my-ecr": true, "(ecr)": true, "ecr-public": true, "BuildAndPushECR": true, "ecrpublic": true, "ECR2": true, "aws_ecr_x": true,
		"secret": false, "SECRET": false, "Secret": false, "decree": false, "DECREE": false, "ecru": false, "decrypt": false, "Ecru": false, "ECRU": false,
		"ecrecover": false, "sECRet": false, "XECR": false, "Decr": false,
	} {
		if got := len(findHits([]byte(text))) > 0; got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestLinesThatBelongTogether(t *testing.T) {
	for text, want := range map[string]string{
		"a\naws ecr x \\\n  y \\\n  z\nb":     "aws ecr x \\\n  y \\\n  z",
		"a \\\n ecr\nb":                       "a \\\n ecr",
		"a\necr |\n b\nc":                     "ecr |\n b",
		"a\necr\n  | b\nc":                    "ecr\n  | b",
		"run: |\n  ecr\n":                     "  ecr",
		"- |\n  ecr\n":                        "  ecr",
		"| ecr | x |\n| y | z |":              "| ecr | x |",
		"ecr ^\r\n b\r\nc":                    "ecr ^\r\n b\r",
		"ecr `\r\n b\r\nc":                    "ecr `\r\n b\r",
		"a || \n ecr":                         " ecr",
		"ecr \\":                              "ecr \\",
		"`ecr`\nb":                            "`ecr`",
		strings.Repeat("x", 5000) + " ecr\nb": strings.Repeat("x", 599) + " ecr",
	} {
		s := stretches([]byte(text))
		if len(s) != 1 || text[s[0].Start:s[0].End] != want {
			t.Errorf("%.40q: %+v", text, s)
		}
	}
}

func TestMatter(t *testing.T) {
	long := strings.Repeat("é", 150)
	secret := strings.Repeat("aB3/", 30)
	for _, c := range []struct{ line, at, want string }{
		{"  docker login\t x ", "docker", "docker login x"},
		{"a\x1b[31mred\x07 \u202eb \xff", "red", "a [31mred b"},
		{"docker login -u AWS -p hunter2000 H", "docker", "docker login -u AWS -p *** H"},
		{"docker login -p $(aws ecr get-login-password)", "docker", "docker login -p $(aws ecr get-login-password)"},
		{`"auth": "QVdTOnB3"`, "auth", `"auth": "***"`},
		{"x: " + secret, "x", "x: ***"},
		{"x@sha256:" + strings.Repeat("0a", 32), "x", "x@sha256:" + strings.Repeat("0a", 32)},
		{long + " here", "here", "…" + strings.Repeat("é", 94) + " here"},
		{long + long, "é", strings.Repeat("é", 98) + "…"},
	} {
		got := matter([]byte(c.line), strings.Index(c.line, c.at))
		if got != c.want || len(got) > maxText {
			t.Errorf("%q: %q (%d bytes)", c.line, got, len(got))
		}
	}
}

func TestBlocks(t *testing.T) {
	text := `
# resource "comment" { }
resource "a" "b" {
  x = "}{ ${ "{" } "
  y = { z = 1 }
  validation {
    c = <<-EOT
      } {
    EOT
  }
}
/* locals { */
locals {
  a = 1 // }
}
data "open" "x" {
`
	var got []string
	for _, b := range blocksOf([]byte(text)) {
		got = append(got, fmt.Sprintf("%d %s %d-%d", b.depth, b.header, 1+strings.Count(text[:b.Start], "\n"), 1+strings.Count(text[:b.End], "\n")))
	}
	want := []string{`0 resource "a" "b" 3-11`, `1 validation 6-10`, `0 locals 13-15`, `0 data "open" "x" 16-17`}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestPlace(t *testing.T) {
	text := `
Resources:
  Fn:
    Properties:
      List:
      - name: x
        image: HERE
    Type: AWS::Lambda::Function
  Other:
    Type: AWS::ECS::Service
`
	got := placeOf([]byte(text), strings.Index(text, "HERE"))
	want := place{keys: []string{"image", "List", "Properties", "Fn", "Resources"}, typ: "AWS::Lambda::Function"}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(place{})); d != "" {
		t.Error(d)
	}
}

// TestNothingIsKnown holds the sentences for a migration whose target nobody can tell.
func TestNothingIsKnown(t *testing.T) {
	f := mention.File{Path: "x.yaml", Type: mention.YAML, Text: []byte("apiVersion: kyverno.io/v1\nimage: " + host + "/team/*\n")}
	j := Judge(f, lost{})
	if got := findings(j); len(got) != 1 || !strings.Contains(got[0].Do, `"LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/*"`) {
		t.Errorf("%+v", j)
	}
}

func TestDocumentsSayHowManyMore(t *testing.T) {
	line := "docker push " + host + "/team/api:1\n"
	f := mention.File{Path: "README.md", Type: mention.Markdown, Text: []byte(strings.Repeat(line, 3))}
	j := Judge(f, fake{})
	if got := findings(j); len(got) != 1 || !strings.HasSuffix(got[0].Why, " There are 2 more places like it in this file.") {
		t.Errorf("%+v", got)
	}
	if kept, left := divide(f.Text, j); len(kept) != 3 || len(left) != 0 {
		t.Errorf("kept %v, left %v", kept, left)
	}
	f.Text = []byte(strings.Repeat(line, 2))
	if got := findings(Judge(f, fake{})); len(got) != 1 || !strings.HasSuffix(got[0].Why, " There is one more place like it in this file.") {
		t.Errorf("%+v", got)
	}
}

// TestLongLine judges a line of 20 MB in parts: what is far from a marker is not looked at.
func TestLongLine(t *testing.T) {
	text := bytes.Repeat([]byte(`{"a":"0123456789abcdef"},`), 800_000)
	text = append(text, `{"arn":"arn:aws:ecr:us-east-1:123456789012:repository/x"},`...)
	text = append(text, bytes.Repeat([]byte(`{"a":"secret"},`), 100_000)...)
	f := mention.File{Path: "x.json", Type: mention.JSON, Text: text}
	j := Judge(f, fake{})
	if len(j.Findings) != 1 || j.Findings[0].Kind != mention.ARN || !strings.Contains(j.Findings[0].Text, "arn:aws:ecr") {
		t.Errorf("%+v", j.Findings)
	}
}

// TestLongLineKeepsLittle: of a line that is too long to be one place, only the string that a rule fits is kept.
func TestLongLineKeepsLittle(t *testing.T) {
	text := `{"cmd":"docker push ` + host + `/team/api:1","image":"` + host + `/team/web:1"},` + strings.Repeat(`{"a":"0123456789abcdef"},`, 400)
	f := mention.File{Path: "x.json", Type: mention.JSON, Text: []byte(text)}
	j := Judge(f, fake{})
	sound(t, f, j)
	kept, left := divide(f.Text, j)
	if len(kept) != 1 || !strings.HasSuffix(kept[0], "/team/api:1") || len(left) != 1 {
		t.Errorf("kept %v, left %v", kept, left)
	}
	if got := findings(j); len(got) != 1 || got[0].Kind != mention.Producer {
		t.Errorf("%+v", got)
	}
}
