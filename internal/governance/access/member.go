package access

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// The members that are the public.
const (
	allUsers              = "allUsers"              // whoever there is
	allAuthenticatedUsers = "allAuthenticatedUsers" // whoever has signed in to Google
)

func public(member string) bool { return member == allUsers || member == allAuthenticatedUsers }

var (
	emailPattern  = regexp.MustCompile(`^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)
	domainPattern = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)
	// A service account of Kubernetes stands in the place of an e-mail.
	kubernetesPattern = regexp.MustCompile(`^[a-z0-9.:-]+\.svc\.id\.goog\[[a-z0-9.-]+/[a-z0-9.-]+\]$`)
	poolPattern       = regexp.MustCompile(`^//(iam|cloudresourcemanager)\.googleapis\.com/[A-Za-z0-9._~:/@+=,*%-]+$`)
)

// checkMember says why a role cannot be given to a member, or nothing. The forms are those of the IAM API. Whether there is
// such a member, Google alone knows.
func checkMember(member string, allowPublic bool) error {
	if public(member) {
		if allowPublic {
			return nil
		}
		return fmt.Errorf("%s is the public: pass --allow-public if that is meant", member)
	}
	kind, rest, found := strings.Cut(member, ":")
	for _, placeholder := range [...]string{"PROJECT_NUMBER", "/POOL/", "NAME@", "@PROJECT.", "@DOMAIN"} {
		if strings.Contains(rest, placeholder) {
			return fmt.Errorf("%q has placeholders in it: fill in what is written large", short(member))
		}
	}
	ok := false
	switch kind {
	case "user", "group":
		ok = emailPattern.MatchString(rest)
	case "serviceAccount":
		ok = emailPattern.MatchString(rest) || kubernetesPattern.MatchString(rest)
	case "domain":
		ok = domainPattern.MatchString(rest)
	case "principal", "principalSet":
		ok = poolPattern.MatchString(rest)
	default:
		found = false
	}
	if !found {
		return fmt.Errorf("%q is no member (known: user:, group:, serviceAccount: with an e-mail, domain:, principal://, principalSet://)", short(member))
	}
	if !ok {
		return fmt.Errorf("%q is no member: what is behind %s: has another form", short(member), kind)
	}
	return nil
}

// checkGrant says why a role cannot be given to a member, or nothing.
func checkGrant(role, member string, allowPublic bool) error {
	if rung(role) < 0 {
		return fmt.Errorf("%q is not a role that is given here (known: %s)", short(role), strings.Join(ladder[:], ", "))
	}
	if member == "" {
		return errors.New("there is no member: fill it in, or set apply: false")
	}
	if err := checkMember(member, allowPublic); err != nil {
		return err
	}
	if public(member) && role != RoleReader {
		return fmt.Errorf("%s is given no more than %s", member, RoleReader)
	}
	return nil
}
