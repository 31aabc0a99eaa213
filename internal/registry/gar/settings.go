package gar

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"google.golang.org/api/googleapi"

	api "google.golang.org/api/artifactregistry/v1"

	"transship/internal/document"
	"transship/internal/ref"
)

// The pauses between the polls of an operation.
const (
	pollFirst = 500 * time.Millisecond
	pollMost  = 5 * time.Second
)

// Create creates r, of format DOCKER and with the settings s but for immutable tags, which would hold up a copy, and waits
// until it is there. A repository that exists already is success, and is left as it is: existed says so, though it may be
// what a lost answer of ours created. It makes 1 request, and 1 a poll; Artifact Registry allows some 1 creation in 2 s in
// a project, which is for the caller to keep (FACTS B4).
func (c *Cloud) Create(ctx context.Context, r ref.TargetRepository, description string, s document.TargetSettings) (existed bool, err error) {
	what := call{op: "create repository", object: r.String(), repository: r, permission: "repositories.create", creates: true}
	parent := "projects/" + r.Project + "/locations/" + r.Location
	op, err := c.repositories.Create(parent, creation(description, s)).RepositoryId(r.ID).Context(ctx).Do()
	for wait := pollFirst; err == nil && !op.Done; wait = min(pollMost, wait*3/2) {
		if err = sleep(ctx, wait); err == nil {
			op, err = c.operations.Get(op.Name).Context(ctx).Do()
		}
	}
	if err == nil && op.Error != nil {
		err = &operationError{code: op.Error.Code, message: op.Error.Message}
	}
	switch {
	case err == nil:
		return false, nil
	case alreadyExists(err):
		return true, nil
	}
	return false, c.fail(ctx, what, err)
}

// creation is the repository that Create sends.
func creation(description string, s document.TargetSettings) *api.Repository {
	out := &api.Repository{
		Format: "DOCKER", Description: description, KmsKeyName: s.KMSKey, Labels: s.Labels, CleanupPolicyDryRun: s.CleanupDryRun,
	}
	if s.Scanning != "" {
		out.VulnerabilityScanningConfig = &api.VulnerabilityScanningConfig{EnablementConfig: s.Scanning}
	}
	for _, p := range s.Cleanup {
		if out.CleanupPolicies == nil {
			out.CleanupPolicies = map[string]api.CleanupPolicy{}
		}
		out.CleanupPolicies[p.ID] = sentPolicy(p)
	}
	return out
}

// sentPolicy is the opposite of cleanupPolicy.
func sentPolicy(in document.CleanupPolicy) api.CleanupPolicy {
	out := api.CleanupPolicy{Id: in.ID, Action: in.Action}
	if c := in.Condition; c != nil {
		out.Condition = &api.CleanupPolicyCondition{
			TagState: c.TagState, TagPrefixes: c.TagPrefixes, VersionNamePrefixes: c.VersionPrefixes, PackageNamePrefixes: c.PackagePrefixes,
			OlderThan: formatSeconds(c.OlderThan), NewerThan: formatSeconds(c.NewerThan),
		}
	}
	if m := in.MostRecent; m != nil {
		out.MostRecentVersions = &api.CleanupPolicyMostRecentVersions{PackageNamePrefixes: m.PackagePrefixes, KeepCount: int64(m.KeepCount)}
	}
	return out
}

func formatSeconds(s document.Seconds) string {
	if s == 0 {
		return ""
	}
	return fmt.Sprintf("%ds", s)
}

// Update reads r afresh, asks decide which settings it shall have, and sends those that differ: 1 request where none does,
// 2 otherwise. An error of decide's is returned as it is, and nothing is sent. What decide leaves of a clean-up policy is
// sent back in the very bytes in which it came, with whatever it holds that this package knows nothing of. A key cannot be
// updated.
func (c *Cloud) Update(ctx context.Context, r ref.TargetRepository, decide func(document.TargetRepository) (document.TargetSettings, error)) error {
	what := call{op: "update repository", object: r.String(), repository: r, permission: "repositories.update"}
	var raw json.RawMessage
	if err := c.exchange(ctx, http.MethodGet, r, nil, &raw); err != nil {
		return c.fail(ctx, call{op: "read repository", object: r.String(), repository: r, permission: "repositories.get"}, err)
	}
	var now api.Repository
	var policies struct {
		CleanupPolicies map[string]json.RawMessage `json:"cleanupPolicies"`
	}
	for _, into := range []any{&now, &policies} {
		if err := json.Unmarshal(raw, into); err != nil {
			return c.fail(ctx, what, err)
		}
	}
	found := targetRepository(r, &now)
	want, err := decide(found)
	if err != nil {
		return err
	}
	body, mask := difference(found.TargetSettings, want, policies.CleanupPolicies)
	if len(mask) == 0 {
		return nil
	}
	if err := c.exchange(ctx, http.MethodPatch, r, mask, body); err != nil {
		return c.fail(ctx, what, err)
	}
	return nil
}

// difference is what a PATCH sends to make now what is wanted, and the names of the fields that it changes. Policies that
// stay are taken from raw.
func difference(now, want document.TargetSettings, raw map[string]json.RawMessage) (body map[string]any, mask []string) {
	body = map[string]any{}
	set := func(field string, value any) {
		name, inner, nested := strings.Cut(field, ".")
		if nested {
			value = map[string]any{inner: value}
		}
		body[name], mask = value, append(mask, field)
	}
	if !maps.Equal(now.Labels, want.Labels) {
		set("labels", want.Labels)
	}
	if now.Scanning != want.Scanning {
		set("vulnerabilityScanningConfig.enablementConfig", want.Scanning)
	}
	if !reflect.DeepEqual(now.Cleanup, want.Cleanup) && len(now.Cleanup)+len(want.Cleanup) > 0 {
		policies := map[string]any{}
		for _, p := range want.Cleanup {
			policies[p.ID] = sentPolicy(p)
			if slices.ContainsFunc(now.Cleanup, func(old document.CleanupPolicy) bool { return reflect.DeepEqual(old, p) }) {
				policies[p.ID] = raw[p.ID]
			}
		}
		set("cleanupPolicies", policies)
	}
	if now.CleanupDryRun != want.CleanupDryRun {
		set("cleanupPolicyDryRun", want.CleanupDryRun)
	}
	if now.ImmutableTags != want.ImmutableTags {
		set("dockerConfig.immutableTags", want.ImmutableTags)
	}
	return body, mask
}

// exchange reads r into what a pointer is to, or with a mask sends what those fields of it are to be. The library of the
// API would lose fields that are younger than itself.
func (c *Cloud) exchange(ctx context.Context, method string, r ref.TargetRepository, mask []string, v any) error {
	address := c.endpoint + "v1/" + escaped(r.ResourceName())
	var body io.Reader
	if mask != nil {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		body, address = bytes.NewReader(b), address+"?"+url.Values{"updateMask": {strings.Join(mask, ",")}}.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "transship")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := googleapi.CheckResponse(res); err != nil || mask != nil {
		return err
	}
	answer, err := io.ReadAll(res.Body) // which the transport bounds
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, v)
}
