package ref

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// TargetRepository is one Artifact Registry repository of format DOCKER.
type TargetRepository struct {
	Location string // such as us or europe-west3
	Project  string // such as my-project, or example.com:my-project
	ID       string // such as app-images
}

// TargetImage is one image path of a TargetRepository; Artifact Registry calls it a package.
type TargetImage struct {
	Repository TargetRepository
	Path       string // such as team/api; may hold slashes
}

// MaxTargetName is how many characters PROJECT/REPOSITORY/IMAGE may have. FACTS B1: the limit of go-containerregistry's
// grammar, which clients share.
const MaxTargetName = 255

var (
	locationPattern = regexp.MustCompile(`^[a-z]+(-[a-z]+[0-9]+)?$`)
	projectPattern  = regexp.MustCompile(`^[a-z][a-z0-9-]{4,28}[a-z0-9]$`)
	domainPattern   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)+$`)
	// FACTS B1 [S]: what gcloud accepts. The maximum of 63 is widely assumed [U].
	repositoryIDPattern = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
	garHostPattern      = regexp.MustCompile(`^([a-z0-9-]+)-docker\.pkg\.dev$`)
	garREPHostPattern   = regexp.MustCompile(`^docker\.([a-z0-9-]+)\.rep\.pkg\.dev$`)
)

// legacyLocation says where the repository of a legacy host is: such a host is served by a repository of the same name in a fixed
// location. FACTS B1 [S].
func legacyLocation(host string) (location string, ok bool) {
	switch host {
	case "gcr.io", "us.gcr.io":
		return "us", true
	case "eu.gcr.io":
		return "europe", true
	case "asia.gcr.io":
		return "asia", true
	}
	return "", false
}

// ParseTarget reads LOCATION-docker.pkg.dev/PROJECT/REPOSITORY with an optional image path behind it. The path of the
// result is empty where there is none.
func ParseTarget(s string) (TargetImage, error) {
	host, rest, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(s, "https://"), "/"), "/")
	parts := strings.Split(rest, "/")
	wrong := func(format string, a ...any) (TargetImage, error) {
		return TargetImage{}, fmt.Errorf("%q is not an Artifact Registry repository: %s", s, fmt.Sprintf(format, a...))
	}
	var t TargetImage
	if m := garHostPattern.FindStringSubmatch(host); m != nil {
		t.Repository.Location = m[1]
	} else if m := garREPHostPattern.FindStringSubmatch(host); m != nil {
		t.Repository.Location = m[1]
	} else if location, ok := legacyLocation(host); ok {
		t.Repository.Location, t.Repository.ID = location, host
	} else {
		return wrong("want LOCATION-docker.pkg.dev/PROJECT/REPOSITORY")
	}
	// A domain-scoped project has a dot in its first segment and spans two. FACTS B1 [D].
	t.Repository.Project, parts = parts[0], parts[1:]
	if strings.Contains(t.Repository.Project, ".") && !strings.Contains(t.Repository.Project, ":") && len(parts) > 0 {
		t.Repository.Project, parts = t.Repository.Project+":"+parts[0], parts[1:]
	}
	if t.Repository.ID == "" {
		if len(parts) == 0 || parts[0] == "" {
			return wrong("the repository is missing: want %s/PROJECT/REPOSITORY", host)
		}
		t.Repository.ID, parts = parts[0], parts[1:]
	}
	t.Path = strings.Join(parts, "/")
	if err := t.Repository.Validate(); err != nil {
		return wrong("%v", err)
	}
	if t.Path != "" && !isPath(t.Path) {
		return wrong("%q is not an image path", t.Path)
	}
	return t, nil
}

// Validate says what Artifact Registry would refuse about the location, the project or the repository id.
func (r TargetRepository) Validate() error {
	if !locationPattern.MatchString(r.Location) {
		return fmt.Errorf("%q is not a location", r.Location)
	}
	project := r.Project
	if domain, id, ok := strings.Cut(project, ":"); ok {
		if !domainPattern.MatchString(domain) {
			return fmt.Errorf("%q is not a project id: its domain is not a domain name", r.Project)
		}
		project = id
	}
	if !projectPattern.MatchString(project) {
		return fmt.Errorf("%q is not a project id (6 to 30 lowercase letters, digits and hyphens, beginning with a letter)", r.Project)
	}
	location, legacy := legacyLocation(r.ID)
	if legacy && r.Location != location {
		return fmt.Errorf("a repository with the id %q is in %s, not in %s", r.ID, location, r.Location)
	}
	if !legacy && !repositoryIDPattern.MatchString(r.ID) {
		return fmt.Errorf("%q is not a repository id (up to 63 lowercase letters, digits and hyphens, beginning with a letter and ending with a letter or digit)", r.ID)
	}
	return nil
}

// Host is the name that images of r are pulled from.
func (r TargetRepository) Host() string {
	if _, legacy := legacyLocation(r.ID); legacy {
		return r.ID
	}
	return r.Location + "-docker.pkg.dev"
}

// Path is what stands between the host and an image: PROJECT/REPOSITORY, with a slash for the colon of a
// domain-scoped project. FACTS B1 [D].
func (r TargetRepository) Path() string {
	project := strings.Replace(r.Project, ":", "/", 1)
	if _, legacy := legacyLocation(r.ID); legacy {
		return project
	}
	return project + "/" + r.ID
}

// ResourceName is r's name in the REST API, in which the colon of a domain-scoped project stays.
func (r TargetRepository) ResourceName() string {
	return "projects/" + r.Project + "/locations/" + r.Location + "/repositories/" + r.ID
}

// String is HOST/PROJECT/REPOSITORY.
func (r TargetRepository) String() string { return r.Host() + "/" + r.Path() }

// Image returns the image path of r.
func (r TargetRepository) Image(path string) TargetImage {
	return TargetImage{Repository: r, Path: path}
}

// Compare orders repositories by location, project and id.
func (r TargetRepository) Compare(o TargetRepository) int {
	return cmp.Or(cmp.Compare(r.Location, o.Location), cmp.Compare(r.Project, o.Project), cmp.Compare(r.ID, o.ID))
}

// MarshalText is String.
func (r TargetRepository) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (r *TargetRepository) UnmarshalText(b []byte) error {
	t, err := ParseTarget(string(b))
	if err == nil && t.Path != "" {
		err = fmt.Errorf("%q names an image, not a repository", b)
	}
	*r = t.Repository
	return err
}

// Name is the repository name of the registry protocol: PROJECT/REPOSITORY/IMAGE.
func (t TargetImage) Name() string {
	if t.Path == "" {
		return t.Repository.Path()
	}
	return t.Repository.Path() + "/" + t.Path
}

// String is HOST/PROJECT/REPOSITORY/IMAGE.
func (t TargetImage) String() string { return t.Repository.Host() + "/" + t.Name() }

// Join appends a relative image path.
func (t TargetImage) Join(path string) TargetImage {
	t.Path = strings.Join(slices.DeleteFunc([]string{t.Path, path}, func(s string) bool { return s == "" }), "/")
	return t
}

// Validate says what Artifact Registry would refuse about the name, its length included.
func (t TargetImage) Validate() error {
	if err := t.Repository.Validate(); err != nil {
		return err
	}
	if !isPath(t.Path) {
		return fmt.Errorf("%q is not an image path", t.Path)
	}
	if n := len(t.Name()); n > MaxTargetName {
		return fmt.Errorf("the target name has %d characters, more than %d", n, MaxTargetName)
	}
	return nil
}

// Compare orders images by repository, then path.
func (t TargetImage) Compare(o TargetImage) int {
	return cmp.Or(t.Repository.Compare(o.Repository), cmp.Compare(t.Path, o.Path))
}

// MarshalText is String.
func (t TargetImage) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText is ParseTarget.
func (t *TargetImage) UnmarshalText(b []byte) (err error) {
	*t, err = ParseTarget(string(b))
	return err
}
