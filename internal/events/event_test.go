package events

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
)

const some = "sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd1234abcd"

// event is an event of ECR as its documentation has it. FACTS D [D].
func event(kind, detail string) string {
	return `{"version":"0","id":"13cde686-328b-6117-af20-0e5566167482","detail-type":"` + kind + `","source":"aws.ecr","account":"123456789012",` +
		`"time":"2019-11-16T01:54:34Z","region":"us-west-2","resources":[],"detail":` + detail + `}`
}

func image(action string) string {
	return event("ECR Image Action", `{"result":"SUCCESS","repository-name":"team/api","image-digest":"`+some+`","action-type":"`+action+`","image-tag":"latest"}`)
}

func TestParse(t *testing.T) {
	repo := ref.Registry{Account: "123456789012", Region: "us-west-2"}.Repository("team/api")
	envelope, err := json.Marshal(map[string]string{"Type": "Notification", "MessageId": "x", "TopicArn": "arn:aws:sns:us-west-2:123456789012:t", "Message": image("PUSH")})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		body   string
		action Action
		tag    string
	}{
		"push":          {image("PUSH"), Push, "latest"},
		"untagged push": {strings.Replace(image("PUSH"), `,"image-tag":"latest"`, "", 1), Push, ""},
		"odd tag":       {strings.Replace(image("PUSH"), `latest`, "no tag", 1), Push, ""},
		"delete":        {image("DELETE"), Delete, "latest"},
		"archive": {event("ECR Image Action", `{"result":"SUCCESS","repository-name":"team/api","image-digest":"`+some+
			`","action-type":"UPDATE_STORAGE_CLASS","target-storage-class":"ARCHIVE","image-tag":"latest","manifest-media-type":"x"}`), Storage, "latest"},
		"replication": {event("ECR Replication Action", `{"result":"SUCCESS","repository-name":"team/api","image-digest":"`+some+
			`","source-account":"210987654321","action-type":"REPLICATE","source-region":"us-east-1","image-tag":"latest"}`), Replicate, "latest"},
		"referrer": {event("ECR Referrer Action", `{"result":"SUCCESS","repository-name":"team/api","image-digest":"`+some+`","action-type":"UPDATE_STORAGE_CLASS"}`), Referrer, ""},
		"pull through": {event("ECR Pull Through Cache Action", `{"rule-version":"1","sync-status":"SUCCESS","ecr-repository-prefix":"team",`+
			`"repository-name":"team/api","upstream-registry-url":"public.ecr.aws","image-tag":"latest","image-digest":"`+some+`"}`), PullThrough, "latest"},
		"by way of SNS": {string(envelope), Push, "latest"},
	} {
		e, err := Parse(test.body)
		if err != nil || e.Action != test.action || e.Repository != repo || e.Tag != test.tag || e.Digest != digest.Digest(some) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
		if e.At.IsZero() || e.ID == "" {
			t.Errorf("%s: no time or id", name)
		}
	}
	for name, body := range map[string]string{
		"a failure":         strings.Replace(image("PUSH"), "SUCCESS", "FAILURE", 1),
		"a failed copy":     event("ECR Replication Action", `{"result":"FAILED","repository-name":"team/api"}`),
		"a scan":            event("ECR Image Scan", `{"scan-status":"COMPLETE","repository-name":"team/api"}`),
		"a change of scans": event("ECR Scan Resource Change", `{"action-type":"SCAN_FREQUENCY_CHANGE"}`),
	} {
		if e, err := Parse(body); err != nil || e.Action != Other {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
}

func TestPoison(t *testing.T) {
	for body, want := range map[string]string{
		"":      "no JSON",
		"hello": "no JSON",
		"[1]":   "no JSON object",
		"{}":    "no EventBridge event",
		`{"source":"aws.s3","detail-type":"Object Created","detail":{}}`:                 "aws.s3",
		event("ECR Image Action", `[]`):                                                  "its detail",
		event("ECR Tea Party", `{}`):                                                     "does not know: ECR Tea Party",
		image("PAINT"):                                                                   "PAINT",
		strings.Replace(image("PUSH"), "123456789012", "12", 1):                          "account or region",
		strings.Replace(image("PUSH"), "team/api", "../etc", 1):                          "no name of a repository",
		strings.Replace(image("PUSH"), some, "sha256:12", 1):                             "image-digest",
		event("ECR Image Action", `{"action-type":"PUSH","repository-name":"team/api"}`): "names no image",
		`{"Type":"Notification","Message":"hello"}`:                                      "in the notification",
		strings.Repeat(" ", maxBody+1):                                                   "more than",
	} {
		if e, err := Parse(body); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %+v, %v, want %s", body, e, err, want)
		}
	}
}

// FuzzParse: whatever a message holds, nothing of it is believed that is no name of ECR's.
func FuzzParse(f *testing.F) {
	f.Add(image("PUSH"))
	f.Add(image("DELETE"))
	f.Add(`{"Type":"Notification","Message":"{}"}`)
	f.Add(event("ECR Replication Action", `{}`))
	f.Add("\x1b[31m")
	f.Fuzz(func(t *testing.T, body string) {
		e, err := Parse(body)
		if err != nil {
			if s := err.Error(); len(s) > 2000 || strings.ContainsAny(s, "\x1b\n\r") {
				t.Errorf("the error is %q", s)
			}
			return
		}
		if e.Action == Other {
			return
		}
		if !ref.ValidRepositoryName(e.Repository.Name) || e.Repository.Registry.Validate() != nil {
			t.Errorf("the repository is %q", e.Repository)
		}
		if e.Tag == "" && e.Digest == "" || e.Tag != "" && !ref.ValidTag(e.Tag) || e.Digest != "" && e.Digest.Validate() != nil {
			t.Errorf("the image is %q %q", e.Tag, e.Digest)
		}
	})
}

func TestParseAddress(t *testing.T) {
	for text, region := range map[string]string{
		"https://sqs.us-east-1.amazonaws.com/123456789012/transship":         "us-east-1",
		"https://sqs-fips.us-gov-west-1.amazonaws.com/123456789012/a.fifo":   "us-gov-west-1",
		"https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q":             "cn-north-1",
		"https://sqs.eu-west-1.api.aws/123456789012/q":                       "eu-west-1",
		"https://us-east-1.queue.amazonaws.com/123456789012/q":               "us-east-1",
		"https://vpce-0a-1b.sqs.us-east-2.vpce.amazonaws.com/123456789012/q": "us-east-2",
	} {
		if a, err := ParseAddress(text); err != nil || a.Region != region || a.Account != "123456789012" {
			t.Errorf("%s: %+v, %v", text, a, err)
		}
	}
	for _, text := range []string{
		"", "transship", "http://sqs.us-east-1.amazonaws.com/123456789012/q", "https://example.com/123456789012/q", "https://sqs.us-east-1.amazonaws.com/q",
		"https://sqs.us-east-1.amazonaws.com/12/q", "https://u:p@sqs.us-east-1.amazonaws.com/123456789012/q", "arn:aws:sqs:us-east-1:123456789012:q",
		"https://sqs.us-east-1.amazonaws.com/123456789012/", "https://sqs.us-east-1.amazonaws.com/123456789012/a/b",
	} {
		if a, err := ParseAddress(text); err == nil || !strings.Contains(err.Error(), "https://sqs.REGION") {
			t.Errorf("%s: %+v, %v", text, a, err)
		}
	}
	a, _ := ParseAddress("https://sqs.us-east-1.amazonaws.com/123456789012/q")
	if err := a.Of([]ref.Registry{{Account: "123456789012", Region: "us-east-1"}}); err != nil {
		t.Error(err)
	}
	if err := a.Of([]ref.Registry{{Account: "123456789012", Region: "us-east-2"}}); err == nil || !strings.Contains(err.Error(), "us-east-2") {
		t.Error(err)
	}
}
