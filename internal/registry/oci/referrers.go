package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/registry"
)

// A listing that never ends is given up at one of these bounds.
const (
	maxReferrerPages = 1000
	maxReferrers     = 100_000
)

// nextLink finds the next page in a Link header.
var nextLink = regexp.MustCompile(`<([^<>]*)>\s*;[^<,]*\brel="?next"?`)

// Referrers returns the manifests that describe subject, by the referrers API: one request a page. registry.Unsupported
// says that the registry has no such API.
func (c *Client) Referrers(ctx context.Context, name string, subject digest.Digest) ([]registry.Child, error) {
	t := c.task("list referrers of", name, "referrers", subject.String())
	if err := subject.Validate(); err != nil {
		return nil, c.wrong(t, registry.Invalid, err)
	}
	var all []registry.Child
	for page := 0; t.url != nil; page++ {
		if page == maxReferrerPages {
			return nil, c.wrong(t, registry.Invalid, fmt.Errorf("more than %d pages of referrers", maxReferrerPages))
		}
		err := c.do(ctx, t, 0, func(ctx context.Context) error {
			children, next, err := c.readReferrers(ctx, t)
			if err != nil {
				return err
			}
			if next != nil && next.String() == t.url.String() {
				return c.wrong(t, registry.Invalid, errors.New("the list does not end: a page names itself as the next one"))
			}
			all = append(all, children...)
			t.url = next
			return nil
		})
		if registry.IsClass(err, registry.NotFound) {
			return nil, c.wrong(t, registry.Unsupported, err)
		}
		if err != nil {
			return nil, err
		}
		if len(all) > maxReferrers {
			return nil, c.wrong(t, registry.Invalid, fmt.Errorf("more than %d referrers", maxReferrers))
		}
	}
	return all, nil
}

// readReferrers returns one page and the next one's URL, nil at the end.
func (c *Client) readReferrers(ctx context.Context, t task) ([]registry.Child, *url.URL, error) {
	res, err := c.exchange(ctx, exchange{
		task: t, method: http.MethodGet, follow: true, header: http.Header{"Accept": {ocispec.MediaTypeImageIndex}},
	})
	if err != nil {
		return nil, nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, nil, c.unexpected(t, res)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, registry.MaxManifestBytes+1))
	if err != nil {
		return nil, nil, err
	}
	content, err := registry.ParseManifest(registry.Manifest{MediaType: ocispec.MediaTypeImageIndex, Bytes: body})
	if err != nil {
		return nil, nil, c.wrong(t, registry.Invalid, fmt.Errorf("the list cannot be read: %w", err))
	}
	link := nextLink.FindStringSubmatch(res.Header.Get("Link"))
	if link == nil {
		return content.Children, nil, nil
	}
	next, err := resolveLocation(res.url, link[1])
	if err == nil && !sameHost(next, c.opts.Host) {
		err = fmt.Errorf("it is on another host")
	}
	if err != nil {
		return nil, nil, c.wrong(t, registry.Invalid, fmt.Errorf("the next page cannot be read: %w", err))
	}
	return content.Children, next, nil
}

// checkReference says what is wrong with the names of a manifest. Whether a registry has them is the registry's matter.
func checkReference(name, reference string) error {
	if name == "" || reference == "" || strings.ContainsAny(reference, "/?#") {
		return fmt.Errorf("%q in %q is not a reference", reference, name)
	}
	if strings.Contains(reference, ":") {
		if err := digest.Digest(reference).Validate(); err != nil {
			return fmt.Errorf("%q is not a digest: %w", reference, err)
		}
	}
	return nil
}
