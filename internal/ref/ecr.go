package ref

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"strings"
)

// Registry is one private ECR registry. All host names of FACTS A3 (FIPS, dual stack) name the same Registry.
type Registry struct {
	Account string // 12 digits
	Region  string // such as us-east-1
}

// Repository is one repository of an ECR registry.
type Repository struct {
	Registry Registry
	Name     string // such as team/api; empty where the registry as a whole is meant
}

// HostForm says how a host name spelled its Registry.
type HostForm struct {
	FIPS      bool // an ecr-fips endpoint
	DualStack bool // an endpoint that is reachable over IPv6 as well
}

// partition is a family of regions with host names of its own. FACTS A3 [S].
type partition struct {
	regions   string // prefix of its regions' names
	suffix    string // of ACCOUNT.dkr.ecr.REGION.
	dualStack string // of ACCOUNT.dkr-ecr.REGION. (in China: ACCOUNT.dkr.ecr.REGION.)
}

// partitions in the order in which they are tried: the longest prefix first, the commercial one last.
var partitions = [...]partition{
	{regions: "cn-", suffix: "amazonaws.com.cn", dualStack: "on.amazonwebservices.com.cn"},
	{regions: "eusc-", suffix: "amazonaws.eu"},
	{regions: "us-isob-", suffix: "sc2s.sgov.gov"},
	{regions: "us-isof-", suffix: "csp.hci.ic.gov"},
	{regions: "us-iso-", suffix: "c2s.ic.gov"},
	{regions: "eu-isoe-", suffix: "cloud.adc-e.uk"},
	{regions: "", suffix: "amazonaws.com", dualStack: "on.aws"},
}

var (
	accountPattern = regexp.MustCompile(`^\d{12}$`)
	regionPattern  = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-\d+$`)
	ecrHostPattern = regexp.MustCompile(`^([^.]+)\.dkr[.-]ecr(-fips)?\.([^.]+)\.(.+)$`)
)

// ParseRegistry reads an ECR host name in any of its forms, with or without https:// and a trailing slash. The error
// says which part is wrong.
func ParseRegistry(s string) (Registry, HostForm, error) {
	host := strings.TrimSuffix(strings.TrimPrefix(s, "https://"), "/")
	m := ecrHostPattern.FindStringSubmatch(strings.ToLower(host))
	if m == nil {
		return Registry{}, HostForm{}, fmt.Errorf("%q is not an ECR registry: want ACCOUNT.dkr.ecr.REGION.amazonaws.com", s)
	}
	r := Registry{Account: m[1], Region: m[3]}
	if err := r.Validate(); err != nil {
		return Registry{}, HostForm{}, fmt.Errorf("%q is not an ECR registry: %w", s, err)
	}
	form := HostForm{FIPS: m[2] != "", DualStack: m[4] == r.partition().dualStack}
	if m[4] != r.partition().suffix && !form.DualStack {
		return Registry{}, HostForm{}, fmt.Errorf("%q is not an ECR registry: the region %s belongs to %s", s, r.Region, r.partition().suffix)
	}
	return r, form, nil
}

// Validate says what is wrong with the account or the region, if anything.
func (r Registry) Validate() error {
	if !accountPattern.MatchString(r.Account) {
		return fmt.Errorf("the account %q does not have 12 digits", r.Account)
	}
	if !regionPattern.MatchString(r.Region) {
		return fmt.Errorf("%q is not an AWS region", r.Region)
	}
	return nil
}

func (r Registry) partition() partition {
	for _, p := range partitions {
		if strings.HasPrefix(r.Region, p.regions) {
			return p
		}
	}
	return partitions[len(partitions)-1]
}

// Host is the registry's primary host name.
func (r Registry) Host() string {
	return r.Account + ".dkr.ecr." + r.Region + "." + r.partition().suffix
}

// HostIn is the registry's host name in the given form, where its partition has one, else the primary one.
func (r Registry) HostIn(form HostForm) string {
	p := r.partition()
	ecr := ".ecr."
	if form.FIPS {
		ecr = ".ecr-fips."
	}
	switch {
	case form.DualStack && p.regions == "cn-":
		return r.Account + ".dkr" + ecr + r.Region + "." + p.dualStack
	case form.DualStack && p.dualStack != "":
		return r.Account + ".dkr-" + ecr[1:] + r.Region + "." + p.dualStack
	default:
		return r.Account + ".dkr" + ecr + r.Region + "." + p.suffix
	}
}

// String is Host.
func (r Registry) String() string { return r.Host() }

// Repository returns the repository name of r. It does not check the name: ECR's own answers are taken as they are.
func (r Registry) Repository(name string) Repository { return Repository{Registry: r, Name: name} }

// Compare orders registries by account, then region.
func (r Registry) Compare(o Registry) int {
	return cmp.Or(cmp.Compare(r.Account, o.Account), cmp.Compare(r.Region, o.Region))
}

// MarshalText is Host.
func (r Registry) MarshalText() ([]byte, error) { return []byte(r.Host()), nil }

// UnmarshalText is ParseRegistry.
func (r *Registry) UnmarshalText(b []byte) (err error) {
	*r, _, err = ParseRegistry(string(b))
	return err
}

// ParseRepository reads HOST/NAME.
func ParseRepository(s string) (Repository, error) {
	host, name, ok := strings.Cut(strings.TrimPrefix(s, "https://"), "/")
	if !ok || !ValidRepositoryName(name) {
		return Repository{}, fmt.Errorf("%q is not an ECR repository: want HOST/NAME", s)
	}
	r, _, err := ParseRegistry(host)
	if err != nil {
		return Repository{}, err
	}
	return Repository{Registry: r, Name: name}, nil
}

// ValidRepositoryName reports whether ECR allows name for a private repository. FACTS A1 [S].
func ValidRepositoryName(name string) bool {
	return len(name) >= 2 && len(name) <= 256 && isPath(name)
}

// String is HOST/NAME, or HOST where there is no name.
func (r Repository) String() string {
	if r.Name == "" {
		return r.Registry.Host()
	}
	return r.Registry.Host() + "/" + r.Name
}

// Compare orders repositories by registry, then name.
func (r Repository) Compare(o Repository) int {
	return cmp.Or(r.Registry.Compare(o.Registry), cmp.Compare(r.Name, o.Name))
}

// MarshalText is String.
func (r Repository) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (r *Repository) UnmarshalText(b []byte) (err error) {
	if !bytes.ContainsRune(b, '/') {
		*r = Repository{}
		return r.Registry.UnmarshalText(b)
	}
	*r, err = ParseRepository(string(b))
	return err
}
