package ref

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseTarget(t *testing.T) {
	tests := map[string]struct {
		want     TargetImage
		text     string // where it differs
		resource string
	}{
		"us-docker.pkg.dev/my-project/app-images": {
			want: TargetImage{Repository: TargetRepository{"us", "my-project", "app-images"}}, resource: "projects/my-project/locations/us/repositories/app-images",
		},
		"europe-west3-docker.pkg.dev/my-project/app-images/team/api": {
			want: TargetImage{TargetRepository{"europe-west3", "my-project", "app-images"}, "team/api"}, resource: "projects/my-project/locations/europe-west3/repositories/app-images",
		},
		"https://us-docker.pkg.dev/my-project/r/": {
			want: TargetImage{Repository: TargetRepository{"us", "my-project", "r"}}, text: "us-docker.pkg.dev/my-project/r", resource: "projects/my-project/locations/us/repositories/r",
		},
		"docker.us-central1.rep.pkg.dev/my-project/r": {
			want: TargetImage{Repository: TargetRepository{"us-central1", "my-project", "r"}}, text: "us-central1-docker.pkg.dev/my-project/r",
			resource: "projects/my-project/locations/us-central1/repositories/r",
		},
		"us-docker.pkg.dev/example.com/my-project/r/api": {
			want: TargetImage{TargetRepository{"us", "example.com:my-project", "r"}, "api"}, resource: "projects/example.com:my-project/locations/us/repositories/r",
		},
		"us-docker.pkg.dev/example.com:my-project/r/api": {
			want: TargetImage{TargetRepository{"us", "example.com:my-project", "r"}, "api"}, text: "us-docker.pkg.dev/example.com/my-project/r/api",
			resource: "projects/example.com:my-project/locations/us/repositories/r",
		},
		"eu.gcr.io/my-project/team/api": {
			want: TargetImage{TargetRepository{"europe", "my-project", "eu.gcr.io"}, "team/api"}, resource: "projects/my-project/locations/europe/repositories/eu.gcr.io",
		},
		"us-docker.pkg.dev/my-project/gcr.io/api": {
			want: TargetImage{TargetRepository{"us", "my-project", "gcr.io"}, "api"}, text: "gcr.io/my-project/api", resource: "projects/my-project/locations/us/repositories/gcr.io",
		},
	}
	for s, test := range tests {
		got, err := ParseTarget(s)
		if err != nil || got != test.want {
			t.Errorf("%s is %+v, %v", s, got, err)
			continue
		}
		if test.text == "" {
			test.text = s
		}
		if got.String() != test.text || got.Repository.ResourceName() != test.resource {
			t.Errorf("%s becomes %s, %s", s, got, got.Repository.ResourceName())
		}
	}
}

func TestParseTargetRefuses(t *testing.T) {
	for s, say := range map[string]string{
		"":                                    "want LOCATION",
		"docker.io/library/alpine":            "want LOCATION",
		"us-docker.pkg.dev":                   "the repository is missing",
		"us-docker.pkg.dev/my-project":        "the repository is missing",
		"us-docker.pkg.dev/My-Project/r":      "not a project id",
		"us-docker.pkg.dev/short/r":           "not a project id",
		"us-docker.pkg.dev/my-project/Bad_Id": "not a repository id",
		"us-docker.pkg.dev/my-project/" + strings.Repeat("a", 64): "not a repository id",
		"us-docker.pkg.dev/my-project/r/API":                      "not an image path",
		"us-docker.pkg.dev/my-project/r//api":                     "not an image path",
		"us-docker.pkg.dev/my-project/r/api:v1":                   "not an image path",
		"US-docker.pkg.dev/my-project/r":                          "want LOCATION",
		"europe-docker.pkg.dev/my-project/gcr.io":                 "is in us, not in europe",
		"1-docker.pkg.dev/my-project/r":                           "not a location",
	} {
		if _, err := ParseTarget(s); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%q: the error %v does not say %q", s, err, say)
		}
	}
}

func TestTargetNamesHaveALimit(t *testing.T) {
	r := TargetRepository{"us", "my-project", "r"}
	fits := MaxTargetName - len("my-project/r/")
	if err := r.Image(strings.Repeat("a", fits)).Validate(); err != nil {
		t.Error(err)
	}
	if err := r.Image(strings.Repeat("a", fits+1)).Validate(); err == nil {
		t.Error("256 characters pass")
	}
}

func drawTarget(t *rapid.T) TargetImage {
	r := TargetRepository{
		Location: rapid.SampledFrom([]string{"us", "europe", "asia", "us-central1", "europe-west12"}).Draw(t, "location"),
		Project:  rapid.SampledFrom([]string{"my-project", "example.com:my-project"}).Draw(t, "project"),
		ID:       rapid.OneOf(rapid.StringMatching(`[a-z]([a-z0-9-]{0,10}[a-z0-9])?`), rapid.SampledFrom([]string{"gcr.io", "eu.gcr.io"})).Draw(t, "id"),
	}
	if location, legacy := legacyLocation(r.ID); legacy {
		r.Location = location
	}
	return r.Image(rapid.OneOf(rapid.Just(""), rapid.StringMatching(nameExpression)).Draw(t, "path"))
}

func TestTargetsAreReversible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		image := drawTarget(t)
		var back TargetImage
		text, _ := image.MarshalText()
		if err := back.UnmarshalText(text); err != nil || back != image {
			t.Fatalf("%s is %+v, %v", text, back, err)
		}
		var repository TargetRepository
		text, _ = image.Repository.MarshalText()
		if err := repository.UnmarshalText(text); err != nil || repository != image.Repository {
			t.Fatalf("%s is %+v, %v", text, repository, err)
		}
		if image.Path != "" && repository.UnmarshalText([]byte(image.String())) == nil {
			t.Fatalf("%s passes for a repository", image)
		}
	})
}

func FuzzParseTarget(f *testing.F) {
	f.Add("us-docker.pkg.dev/my-project/app-images/team/api")
	f.Add("us-docker.pkg.dev/example.com:my-project/gcr.io/x")
	f.Add("eu.gcr.io/example.com/my-project/x")
	f.Add("docker.us-central1.rep.pkg.dev/my-project/r")
	f.Fuzz(func(t *testing.T, s string) {
		image, err := ParseTarget(s)
		if err != nil {
			return
		}
		back, err := ParseTarget(image.String())
		if err != nil || back != image || image.Repository.Validate() != nil {
			t.Errorf("%q is %+v, and %q is %+v, %v", s, image, image, back, err)
		}
	})
}
