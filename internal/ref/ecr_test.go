package ref

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The forms of FACTS A3.
func TestParseRegistry(t *testing.T) {
	const a = "123456789012"
	tests := map[string]struct {
		region string
		form   HostForm
	}{
		a + ".dkr.ecr.us-east-1.amazonaws.com":                             {"us-east-1", HostForm{}},
		a + ".dkr.ecr.us-gov-west-1.amazonaws.com":                         {"us-gov-west-1", HostForm{}},
		a + ".dkr.ecr-fips.us-east-1.amazonaws.com":                        {"us-east-1", HostForm{FIPS: true}},
		a + ".dkr-ecr.us-east-1.on.aws":                                    {"us-east-1", HostForm{DualStack: true}},
		a + ".dkr-ecr-fips.us-gov-east-1.on.aws":                           {"us-gov-east-1", HostForm{FIPS: true, DualStack: true}},
		a + ".dkr.ecr.cn-north-1.amazonaws.com.cn":                         {"cn-north-1", HostForm{}},
		a + ".dkr.ecr.cn-northwest-1.on.amazonwebservices.com.cn":          {"cn-northwest-1", HostForm{DualStack: true}},
		a + ".dkr.ecr.eusc-de-east-1.amazonaws.eu":                         {"eusc-de-east-1", HostForm{}},
		a + ".dkr.ecr.us-iso-east-1.c2s.ic.gov":                            {"us-iso-east-1", HostForm{}},
		a + ".dkr.ecr.us-isob-east-1.sc2s.sgov.gov":                        {"us-isob-east-1", HostForm{}},
		a + ".dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk":                       {"eu-isoe-west-1", HostForm{}},
		a + ".dkr.ecr.us-isof-south-1.csp.hci.ic.gov":                      {"us-isof-south-1", HostForm{}},
		"https://" + a + ".dkr.ecr.ap-southeast-2.amazonaws.com/":          {"ap-southeast-2", HostForm{}},
		"https://" + strings.ToUpper(a+".dkr.ecr.eu-west-1.amazonaws.com"): {"eu-west-1", HostForm{}},
	}
	for s, want := range tests {
		r, form, err := ParseRegistry(s)
		if err != nil {
			t.Errorf("%s: %v", s, err)
			continue
		}
		if r != (Registry{Account: a, Region: want.region}) || form != want.form {
			t.Errorf("%s is %+v in the form %+v", s, r, form)
		}
		plain := strings.TrimSuffix(strings.TrimPrefix(strings.ToLower(s), "https://"), "/")
		if got := r.HostIn(form); got != plain {
			t.Errorf("%s becomes %s", plain, got)
		}
		if back, _, err := ParseRegistry(r.Host()); back != r || err != nil {
			t.Errorf("%s: its primary name %s is %+v, %v", s, r.Host(), back, err)
		}
	}
}

func TestParseRegistryRefuses(t *testing.T) {
	for s, say := range map[string]string{
		"":                                      "want ACCOUNT",
		"public.ecr.aws":                        "want ACCOUNT",
		"docker.io":                             "want ACCOUNT",
		"us-docker.pkg.dev":                     "want ACCOUNT",
		"12345.dkr.ecr.us-east-1.amazonaws.com": "12 digits",
		"123456789012.dkr.ecr.useast1.amazonaws.com":      "not an AWS region",
		"123456789012.dkr.ecr.us-east-1.amazonaws.com.cn": "belongs to amazonaws.com",
		"123456789012.dkr.ecr.cn-north-1.amazonaws.com":   "belongs to amazonaws.com.cn",
		"123456789012.dkr.ecr.us-east-1.example.com":      "belongs to amazonaws.com",
		"123456789012.dkr.ecr.us-east-1.amazonaws.com/x":  "belongs to",
		"123456789012.dkr.ecr.us-iso-east-1.on.aws":       "belongs to c2s.ic.gov",
	} {
		if _, _, err := ParseRegistry(s); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%q: the error %v does not say %q", s, err, say)
		}
	}
}

func TestParseRepository(t *testing.T) {
	r, err := ParseRepository("https://123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api_v2")
	if err != nil || r.Name != "team/api_v2" || r.Registry.Account != "123456789012" {
		t.Errorf("%+v, %v", r, err)
	}
	for _, s := range []string{
		"", "team/api", "123456789012.dkr.ecr.us-east-1.amazonaws.com", "123456789012.dkr.ecr.us-east-1.amazonaws.com/",
		"123456789012.dkr.ecr.us-east-1.amazonaws.com/Team", "123456789012.dkr.ecr.us-east-1.amazonaws.com/a",
		"123456789012.dkr.ecr.us-east-1.amazonaws.com/a//b", "123456789012.dkr.ecr.us-east-1.amazonaws.com/api:v1",
		"123456789012.dkr.ecr.us-east-1.amazonaws.com/" + strings.Repeat("a", 257),
	} {
		if r, err := ParseRepository(s); err == nil || r != (Repository{}) {
			t.Errorf("%q is %+v", s, r)
		}
	}
}

// drawRegistry draws a registry of any partition.
func drawRegistry(t *rapid.T) Registry {
	return Registry{
		Account: rapid.StringMatching(`[0-9]{12}`).Draw(t, "account"),
		Region: rapid.SampledFrom([]string{
			"us-east-1", "eu-west-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1", "us-iso-east-1", "us-isob-east-1", "us-isof-south-1", "eu-isoe-west-1",
		}).Draw(t, "region"),
	}
}

const nameExpression = `[a-z0-9]+((\.|_|__|-)[a-z0-9]+)?(/[a-z0-9]+((\.|_|__|-)[a-z0-9]+)?){0,2}`

func drawRepository(t *rapid.T) Repository {
	name := rapid.StringMatching(nameExpression).Filter(ValidRepositoryName).Draw(t, "name")
	return drawRegistry(t).Repository(name)
}

func TestRegistriesAreReversible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRegistry(t)
		form := HostForm{FIPS: rapid.Bool().Draw(t, "fips"), DualStack: rapid.Bool().Draw(t, "dual stack")}
		back, backForm, err := ParseRegistry(r.HostIn(form))
		if err != nil || back != r {
			t.Fatalf("%s is %+v, %v", r.HostIn(form), back, err)
		}
		if backForm.FIPS != form.FIPS || backForm.DualStack && !form.DualStack {
			t.Fatalf("%s has the form %+v, not %+v", r.HostIn(form), backForm, form)
		}
	})
}

func TestRepositoriesAreReversible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRepository(t)
		if rapid.IntRange(0, 9).Draw(t, "whole registry") == 0 {
			r.Name = ""
		}
		var back Repository
		text, _ := r.MarshalText()
		if err := back.UnmarshalText(text); err != nil || back != r {
			t.Fatalf("%s is %+v, %v", text, back, err)
		}
	})
}

func FuzzParseRegistry(f *testing.F) {
	f.Add("123456789012.dkr.ecr.us-east-1.amazonaws.com")
	f.Add("https://123456789012.dkr-ecr-fips.us-gov-east-1.on.aws/")
	f.Add("123456789012.dkr.ecr.cn-north-1.on.amazonwebservices.com.cn")
	f.Fuzz(func(t *testing.T, s string) {
		r, form, err := ParseRegistry(s)
		if err != nil {
			return
		}
		back, backForm, err := ParseRegistry(r.HostIn(form))
		if err != nil || back != r || backForm != form {
			t.Errorf("%q is %+v %+v, and %s is %+v %+v, %v", s, r, form, r.HostIn(form), back, backForm, err)
		}
	})
}

func FuzzParseRepository(f *testing.F) {
	f.Add("123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRepository(s)
		if err != nil {
			return
		}
		if back, err := ParseRepository(r.String()); err != nil || back != r || strings.ContainsAny(r.String(), " \n:@?#") {
			t.Errorf("%q is %q, which is %+v, %v", s, r, back, err)
		}
	})
}
