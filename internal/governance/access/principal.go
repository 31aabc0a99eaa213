package access

import (
	"fmt"
	"regexp"
	"strings"
)

// Principal is whom a statement of AWS names. Two are the same when they are equal.
type Principal struct {
	Kind    Kind
	ID      string // as people know it: an ARN, an account of 12 digits, the name of a service, *
	Account string // of AWS, where there is one
	name    string // of the role that it is, or that it is a session of, without its path
}

// Kind says what a principal is.
type Kind string

// The kinds. Of those from Federated on nobody in particular is meant that a member could stand for.
const (
	Everyone      Kind = "everyone"
	Account       Kind = "account" // everybody whom the account lets
	Role          Kind = "role"
	Session       Kind = "role session"
	User          Kind = "user"
	FederatedUser Kind = "federated user"
	Service       Kind = "service"
	Federated     Kind = "identity provider"
	CanonicalUser Kind = "canonical user"
	Gone          Kind = "deleted principal"
	Unknown       Kind = "unknown principal"
)

var (
	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
	iamPattern     = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):(root|user/[\w+=,.@/-]+|role/[\w+=,.@/-]+)$`)
	stsPattern     = regexp.MustCompile(`^arn:aws[a-z-]*:sts::([0-9]{12}):(?:assumed-role/([\w+=,.@-]+)/[\w+=,.@-]+|federated-user/[\w+=,.@-]+)$`)
	servicePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+$`)
	// gonePattern is what AWS shows in the place of a user or role that was deleted: its unique id.
	gonePattern = regexp.MustCompile(`^A(IDA|ROA|GPA|IPA|NPA|NVA|SCA|SIA)[A-Z0-9]{8,124}$`)
)

// parsePrincipal reads one value of a Principal element. What it does not know is Unknown; the error is about a kind
// that does not exist.
func parsePrincipal(kind, text string) (Principal, error) {
	switch kind {
	case "AWS":
		return awsPrincipal(text), nil
	case "Service":
		if servicePattern.MatchString(text) {
			return Principal{Kind: Service, ID: text}, nil
		}
		return Principal{Kind: Unknown, ID: text}, nil
	case "Federated":
		return Principal{Kind: Federated, ID: text}, nil
	case "CanonicalUser":
		return Principal{Kind: CanonicalUser, ID: text}, nil
	}
	return Principal{}, fmt.Errorf("%q is no kind of principal (known: AWS, Service, Federated, CanonicalUser)", short(kind))
}

func awsPrincipal(text string) Principal {
	switch {
	case text == "*":
		return Principal{Kind: Everyone, ID: text}
	case accountPattern.MatchString(text):
		return Principal{Kind: Account, ID: text, Account: text}
	case gonePattern.MatchString(text):
		return Principal{Kind: Gone, ID: text}
	}
	if m := iamPattern.FindStringSubmatch(text); m != nil {
		what, name, _ := strings.Cut(m[2], "/")
		switch what {
		case "root": // an account's number and its root mean the same
			return Principal{Kind: Account, ID: m[1], Account: m[1]}
		case "role":
			return Principal{Kind: Role, ID: text, Account: m[1], name: name[strings.LastIndex(name, "/")+1:]}
		}
		return Principal{Kind: User, ID: text, Account: m[1]}
	}
	if m := stsPattern.FindStringSubmatch(text); m != nil {
		if m[2] != "" {
			return Principal{Kind: Session, ID: text, Account: m[1], name: m[2]}
		}
		return Principal{Kind: FederatedUser, ID: text, Account: m[1]}
	}
	return Principal{Kind: Unknown, ID: text}
}

// nameable reports whether a member of Google can stand for p.
func (p Principal) nameable() bool {
	switch p.Kind {
	case Account, Role, Session, User, FederatedUser, Service:
		return true
	}
	return false
}

// String is how a message names p.
func (p Principal) String() string {
	switch p.Kind {
	case Everyone:
		return "everyone"
	case Account:
		return "the account " + p.ID
	}
	return short(p.ID)
}

// within reports whether everybody who is p is also o.
func (p Principal) within(o Principal) bool {
	switch o.Kind {
	case Everyone:
		return true
	case Account:
		return p.Account == o.Account
	case Role:
		return p == o || p.Kind == Session && p.Account == o.Account && p.name == o.name
	}
	return p == o
}

// meets reports whether somebody may be both p and o. It errs on the side of yes.
func (p Principal) meets(o Principal) bool {
	federated := p.Account == o.Account && (p.Kind == FederatedUser || o.Kind == FederatedUser) // of which user, AWS does not say
	return p.within(o) || o.within(p) || !p.nameable() || !o.nameable() || federated
}

// Hint says in one line which member may stand for a principal of AWS, as FACTS C3 has it. It is text for people: what
// is written large in it is theirs to fill in.
func Hint(principal string) string {
	const fromAWS = " (from AWS, by workload identity federation)"
	const pool = "://iam.googleapis.com/projects/PROJECT_NUMBER/locations/global/workloadIdentityPools/POOL/"
	p := findPrincipal(principal)
	switch p.Kind {
	case Role, Session:
		partition := strings.Split(p.ID, ":")[1]
		return "principalSet" + pool + "attribute.aws_role/arn:" + partition + ":sts::" + p.Account + ":assumed-role/" + p.name + fromAWS
	case User, FederatedUser:
		return "user:NAME@DOMAIN, or principal" + pool + "subject/" + p.ID + fromAWS
	case Account:
		return "group:NAME@DOMAIN of those in the account who need it, or principalSet" + pool + "attribute.aws_role/… for each role" + fromAWS
	case Service:
		return "serviceAccount:NAME@PROJECT.iam.gserviceaccount.com of whatever does this work at Google"
	}
	return ""
}

// findPrincipal reads a principal as ID has it.
func findPrincipal(id string) Principal {
	if p := awsPrincipal(id); p.Kind != Unknown {
		return p
	}
	if servicePattern.MatchString(id) {
		return Principal{Kind: Service, ID: id}
	}
	return Principal{Kind: Unknown, ID: id}
}
