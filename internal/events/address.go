package events

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"transship/internal/ref"
)

// Address is where a queue is.
type Address struct {
	URL     string
	Account string // 12 digits
	Region  string
	Name    string
}

// The hosts of SQS: the region's, its FIPS and dual-stack ones, those of VPC endpoints, and one of old.
var (
	regionOf = regexp.MustCompile(`(?:^|\.)sqs(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws|api|vpce|on)\b`)
	legacyOf = regexp.MustCompile(`^([a-z0-9-]+)\.queue\.amazonaws\.`)
)

// ParseAddress reads the URL of a queue: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME.
func ParseAddress(text string) (Address, error) {
	want := "want https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, as \"aws sqs get-queue-url\" prints it"
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return Address{}, fmt.Errorf("%q is not the URL of a queue: %s", text, want)
	}
	parts := strings.Split(strings.TrimPrefix(u.Path, "/"), "/")
	match := regionOf.FindStringSubmatch(u.Host)
	if match == nil {
		match = legacyOf.FindStringSubmatch(u.Host)
	}
	if match == nil || len(parts) != 2 || parts[1] == "" {
		return Address{}, fmt.Errorf("%q is not the URL of a queue: %s", text, want)
	}
	a := Address{URL: text, Account: parts[0], Region: match[1], Name: parts[1]}
	if err := (ref.Registry{Account: a.Account, Region: a.Region}).Validate(); err != nil {
		return Address{}, fmt.Errorf("%q is not the URL of a queue: %w (%s)", text, err, want)
	}
	return a, nil
}

// Registry is the ECR registry whose events the queue can get: EventBridge passes on what happens in its own account and
// region.
func (a Address) Registry() ref.Registry { return ref.Registry{Account: a.Account, Region: a.Region} }

// ARN is what policies call the queue.
func (a Address) ARN() string {
	return "arn:" + a.Registry().Partition() + ":sqs:" + a.Region + ":" + a.Account + ":" + a.Name
}

// Actions are what taking events from a queue needs, of which none sends anything.
func Actions() []string {
	return []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"}
}

// Of says why the queue is none for these registries, or nothing.
func (a Address) Of(sources []ref.Registry) error {
	var names []string
	for _, r := range sources {
		if r == a.Registry() {
			return nil
		}
		names = append(names, fmt.Sprintf("account %s in %s", r.Account, r.Region))
	}
	return fmt.Errorf("the queue %s is in account %s in %s, and the migration is from %s: name a queue beside the registry, where EventBridge puts its events",
		a.Name, a.Account, a.Region, strings.Join(names, " and "))
}
