package access

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

const minimal = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"}]}`

func TestParsePolicyRefuses(t *testing.T) {
	statement := func(s string) string { return `{"Version":"2012-10-17","Statement":[` + s + `]}` }
	with := func(more string) string {
		return statement(`{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"ecr:BatchGetImage",` + more + `}`)
	}
	for name, c := range map[string]struct{ text, want string }{
		"nothing":                 {"", "ends too early"},
		"no JSON":                 {"policy", "no valid JSON"},
		"10 kB of garbage":        {strings.Repeat("{[\"x\\", 2048), "no valid JSON"},
		"10 kB of brackets":       {strings.Repeat("[", 10240), "nests more than"},
		"too long":                {strings.Repeat(" ", maxPolicy+1), "more than the 65536"},
		"no UTF-8":                {"{\"Version\":\"\xff\"}", "UTF-8"},
		"two values":              {minimal + "{}", "more behind its end"},
		"a comma too many":        {`{"Statement":[],}`, "no valid JSON"},
		"a list":                  {"[]", "a list, not an object"},
		"no statement":            {`{"Version":"2012-10-17"}`, "no Statement"},
		"another version":         {`{"Version":"2030-01-01","Statement":[]}`, `"2030-01-01"; 2012-10-17 and 2008-10-17 are known`},
		"an element of tomorrow":  {`{"Version":"2012-10-17","Statement":[],"Scope":"x"}`, `unknown element "Scope"`},
		"another case":            {`{"version":"2012-10-17","Statement":[]}`, `unknown element "version"`},
		"a key twice":             {`{"Statement":[],"Statement":[]}`, `"Statement" is there twice`},
		"an Id that is a number":  {`{"Id":1,"Statement":[]}`, "its Id is a number"},
		"statements that are one": {`{"Statement":"Allow"}`, "its Statement is a text"},
		"a statement that is one": {statement(`"Allow"`), "statement 1: it is a text"},
		"no effect":               {statement(`{"Principal":"*","Action":"*"}`), "statement 1: it has no Effect"},
		"another effect":          {statement(`{"Effect":"allow","Principal":"*","Action":"*"}`), `its Effect is "allow"; Allow and Deny are known`},
		"no principal":            {statement(`{"Effect":"Allow","Action":"*"}`), "it has no Principal"},
		"no action":               {statement(`{"Effect":"Allow","Principal":"*"}`), "it has no Action"},
		"both actions":            {with(`"NotAction":"x"`), "both Action and NotAction"},
		"both principals":         {with(`"NotPrincipal":"*"`), "both Principal and NotPrincipal"},
		"both resources":          {with(`"Resource":"*","NotResource":"*"`), "both Resource and NotResource"},
		"an unknown element":      {with(`"Purpose":"x"`), `unknown element "Purpose"`},
		"an empty list":           {with(`"Resource":[]`), "Resource is an empty list"},
		"an empty text":           {with(`"Resource":""`), "Resource holds an empty text"},
		"a list of numbers":       {with(`"Resource":[1]`), "Resource holds a number"},
		"a null":                  {with(`"Resource":null`), "Resource is null"},
		"a sid that is a list":    {with(`"Sid":[]`), "its Sid is a list"},
		"a condition as text":     {with(`"Condition":"x"`), "its Condition is a text"},
		"a condition without key": {with(`"Condition":{"StringEquals":"x"}`), `its Condition "StringEquals" is a text`},
		"a condition on nothing":  {with(`"Condition":{"StringEquals":{"aws:x":[]}}`), `on "aws:x" has the value []`},
		"a condition on objects":  {with(`"Condition":{"StringEquals":{"aws:x":{}}}`), `on "aws:x" has the value {}`},
		"principal of all kinds":  {statement(`{"Effect":"Allow","Principal":{},"Action":"*"}`), "its Principal is empty"},
		"principal as a text":     {statement(`{"Effect":"Allow","Principal":"111122223333","Action":"*"}`), `"*" and an object are known`},
		"a kind of tomorrow":      {statement(`{"Effect":"Allow","Principal":{"Google":"x"},"Action":"*"}`), `"Google" is no kind of principal`},
		"the same sid twice": {
			statement(`{"Sid":"A","Effect":"Deny","Principal":"*","Action":"*"},{"Sid":"A","Effect":"Deny","Principal":"*","Action":"*"}`),
			`statement 2: its Sid "A" is there twice`,
		},
	} {
		_, err := ParsePolicy(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil && (len(err.Error()) > 400 || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: the message is long: %v", name, err)
		}
	}
}

func TestParsePolicyReads(t *testing.T) {
	p, err := ParsePolicy(`{"Id":"x","Statement":{"Sid":"S","Effect":"Deny","NotPrincipal":{"AWS":["111122223333","arn:aws:iam::111122223333:root"],
		"Service":"lambda.amazonaws.com"},"NotAction":"ecr:Get*","NotResource":["*"],"Condition":{"Bool":{"aws:SecureTransport":false},"NumericLessThan":{"x":[1,2]}}}}`)
	if err != nil || len(p.Statements) != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	s := p.Statements[0]
	if s.Sid != "S" || s.Allow || !s.NotPrincipals || !s.NotActions || !s.NotResources || s.tls || s.plain() ||
		s.Condition != `{"Bool":{"aws:SecureTransport":false},"NumericLessThan":{"x":[1,2]}}` {
		t.Errorf("%+v", s)
	}
	if len(s.Principals) != 2 || s.Principals[0].ID != "111122223333" || s.Principals[1].Kind != Service {
		t.Errorf("%+v", s.Principals)
	}
}

func TestPrincipals(t *testing.T) {
	for text, want := range map[string]Principal{
		"*":                                     {Kind: Everyone},
		"111122223333":                          {Kind: Account, Account: "111122223333"},
		"arn:aws:iam::111122223333:root":        {Kind: Account, ID: "111122223333", Account: "111122223333"},
		"arn:aws:iam::111122223333:role/a/b/ci": {Kind: Role, Account: "111122223333", name: "ci"},
		"arn:aws-us-gov:iam::111122223333:user/x/y":           {Kind: User, Account: "111122223333"},
		"arn:aws:sts::111122223333:assumed-role/ci/run@7":     {Kind: Session, Account: "111122223333", name: "ci"},
		"arn:aws:sts::111122223333:federated-user/bob":        {Kind: FederatedUser, Account: "111122223333"},
		"AROAEXAMPLEID12345678":                               {Kind: Gone},
		"arn:aws:iam::111122223333:role/*":                    {Kind: Unknown},
		"arn:aws:iam::*:role/ci":                              {Kind: Unknown},
		"arn:aws:iam::1111:role/ci":                           {Kind: Unknown},
		"arn:aws:iam::111122223333:group/admins":              {Kind: Unknown},
		"arn:aws:iam::111122223333:role/ci extra":             {Kind: Unknown},
		"arn:aws:iam::111122223333:saml-provider/okta":        {Kind: Unknown},
		"arn:aws:iam::111122223333:role/ci\n- aws: injection": {Kind: Unknown},
	} {
		if want.ID == "" {
			want.ID = text
		}
		if got, err := parsePrincipal("AWS", text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for kind, text := range map[string]string{"Service": "lambda.amazonaws.com", "Federated": "accounts.google.com", "CanonicalUser": "79a5"} {
		if p, err := parsePrincipal(kind, text); err != nil || p.Kind == Unknown || p.ID != text || p.nameable() != (kind == "Service") {
			t.Errorf("%s: %+v, %v", kind, p, err)
		}
	}
}

func TestWithinAndMeets(t *testing.T) {
	role, session := awsPrincipal("arn:aws:iam::111122223333:role/p/ci"), awsPrincipal("arn:aws:sts::111122223333:assumed-role/ci/7")
	account, other := awsPrincipal("111122223333"), awsPrincipal("arn:aws:iam::111122223333:role/other")
	stranger, everyone := awsPrincipal("444455556666"), awsPrincipal("*")
	service, gone := Principal{Kind: Service, ID: "x.amazonaws.com"}, awsPrincipal("AROAEXAMPLEID12345678")
	for i, c := range []struct {
		p, o          Principal
		within, meets bool
	}{
		{role, role, true, true}, {session, role, true, true}, {role, session, false, true}, {role, account, true, true},
		{account, role, false, true}, {role, other, false, false}, {session, other, false, false}, {role, stranger, false, false},
		{role, everyone, true, true}, {everyone, role, false, true}, {service, account, false, false}, {service, everyone, true, true},
		{role, gone, false, true}, {service, service, true, true},
	} {
		if c.p.within(c.o) != c.within || c.p.meets(c.o) != c.meets {
			t.Errorf("%d: %s and %s: within %t, meets %t", i, c.p, c.o, c.p.within(c.o), c.p.meets(c.o))
		}
	}
}

func TestHints(t *testing.T) {
	const pool = "://iam.googleapis.com/projects/PROJECT_NUMBER/locations/global/workloadIdentityPools/POOL/"
	for id, want := range map[string]string{
		"arn:aws:iam::111122223333:role/a/ci":           "principalSet" + pool + "attribute.aws_role/arn:aws:sts::111122223333:assumed-role/ci",
		"arn:aws-cn:sts::111122223333:assumed-role/x/7": "attribute.aws_role/arn:aws-cn:sts::111122223333:assumed-role/x",
		"arn:aws:iam::111122223333:user/bob":            "principal" + pool + "subject/arn:aws:iam::111122223333:user/bob",
		"111122223333":                                  "group:NAME@DOMAIN",
		"lambda.amazonaws.com":                          "serviceAccount:NAME@PROJECT",
	} {
		got := Hint(id)
		if !strings.Contains(got, want) {
			t.Errorf("%s: %q", id, got)
		}
		for word := range strings.FieldsSeq(got) {
			if checkMember(strings.TrimSuffix(word, ","), true) == nil {
				t.Errorf("%s: the hint holds the member %q, which could be applied", id, word)
			}
		}
	}
	if Hint("*") != "" || Hint("what") != "" {
		t.Error("a hint for nobody")
	}
}

func TestKnownActions(t *testing.T) {
	seen := map[string]bool{}
	for i, a := range known {
		if seen[a.name] {
			t.Errorf("%s is there twice", a.name)
		}
		seen[a.name] = true
		if a.class <= deletes && (i >= 32 || i > 0 && known[i-1].class > deletes) {
			t.Errorf("%s is no bit of a set: the actions of the ladder stand first", a.name)
		}
	}
	if all := pulling | pushing | removing; all.rung() != 2 || all.powers() != powers(2) || powers(0) != pull || powers(1) != pull|push {
		t.Errorf("the ladder does not end with all powers: %s", all.powers())
	}
	if len(pulling.names()) != 2 || len(pushing.names()) != 4 || set(0).rung() != -1 {
		t.Error("the sets lack actions")
	}
}

func TestWild(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "abc", true}, {"a*c", "abbc", true}, {"a*c", "abb", false}, {"a?c", "abc", true},
		{"a?c", "ac", false}, {"**", "x", true}, {"*a*a*", "banana", true}, {"*a*a*a*a", "banana", false}, {"a", "A", false},
	} {
		if wild(c.pattern, c.s) != c.want {
			t.Errorf("%q on %q", c.pattern, c.s)
		}
	}
	if wild(strings.Repeat("*a", 5000)+"b", strings.Repeat("a", 5000)) {
		t.Error("a pattern of many stars matches")
	}
}

// What is read is JSON that the standard library reads too, and what comes of it is text that a message can hold.
func FuzzParsePolicy(f *testing.F) {
	f.Add(minimal)
	f.Add(`{"Statement":{"Effect":"Deny","NotPrincipal":{"AWS":["111122223333"]},"NotAction":["*"],"NotResource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}}`)
	f.Add(strings.Repeat(`{"Statement":[`, 20))
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePolicy(text)
		if err != nil {
			if strings.Contains(err.Error(), "\n") || !utf8.ValidString(err.Error()) {
				t.Errorf("message %q", err)
			}
			return
		}
		if !json.Valid([]byte(text)) {
			t.Error("that is no JSON")
		}
		for _, s := range p.Statements {
			if len(s.Principals) == 0 || len(s.Actions) == 0 || s.Condition != "" && !json.Valid([]byte(s.Condition)) {
				t.Errorf("%+v", s)
			}
		}
		Suggest(Input{Repositories: []Repository{{Source: testSource("app"), Target: testTarget, Policy: text}}, AllowPublic: true})
	})
}
