package gar

import (
	"context"
	"errors"

	api "google.golang.org/api/artifactregistry/v1"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// policyVersion is the one that has conditions. Whoever asks for less is shown less, and would write less back.
const policyVersion = 3

var errNoEtag = errors.New("the policy has no etag, without which a change of somebody else's could be lost")

// GetIamPolicy reads who may do what with r: 1 request. It is of class NoRepository where r does not exist.
func (c *Cloud) GetIamPolicy(ctx context.Context, r ref.TargetRepository) (document.AccessPolicy, error) {
	what := call{op: "read access to", object: r.String(), repository: r, permission: "repositories.getIamPolicy"}
	out, err := c.repositories.GetIamPolicy(r.ResourceName()).OptionsRequestedPolicyVersion(policyVersion).Context(ctx).Do()
	if err != nil {
		return document.AccessPolicy{}, c.fail(ctx, what, err)
	}
	p := document.AccessPolicy{Version: out.Version, Etag: out.Etag, Bindings: make([]document.AccessBinding, 0, len(out.Bindings))}
	for _, b := range out.Bindings {
		if b == nil {
			return document.AccessPolicy{}, c.fail(ctx, what, errNull)
		}
		binding := document.AccessBinding{Role: b.Role, Members: b.Members}
		if e := b.Condition; e != nil {
			binding.Condition = &document.AccessCondition{Title: e.Title, Description: e.Description, Expression: e.Expression, Location: e.Location}
		}
		p.Bindings = append(p.Bindings, binding)
	}
	return p, nil
}

// SetIamPolicy replaces who may do what with r, if nobody has changed it since p was read, which its etag says; it is of
// class Conflict otherwise. A policy without an etag is refused. It makes 1 request.
func (c *Cloud) SetIamPolicy(ctx context.Context, r ref.TargetRepository, p document.AccessPolicy) error {
	what := call{op: "change access to", object: r.String(), repository: r, permission: "repositories.setIamPolicy"}
	if p.Etag == "" {
		return &registry.Error{Side: registry.Target, Op: what.op, Object: what.object, Class: registry.Unsupported, Err: errNoEtag,
			Hint: "grant it by hand: gcloud artifacts repositories add-iam-policy-binding"}
	}
	in := &api.Policy{Version: p.Version, Etag: p.Etag}
	for _, b := range p.Bindings {
		binding := &api.Binding{Role: b.Role, Members: b.Members}
		if e := b.Condition; e != nil {
			binding.Condition = &api.Expr{Title: e.Title, Description: e.Description, Expression: e.Expression, Location: e.Location}
			in.Version = policyVersion
		}
		in.Bindings = append(in.Bindings, binding)
	}
	_, err := c.repositories.SetIamPolicy(r.ResourceName(), &api.SetIamPolicyRequest{Policy: in}).Context(ctx).Do()
	if err == nil {
		return nil
	}
	err = c.fail(ctx, what, err)
	if e, ok := errors.AsType[*registry.Error](err); ok && e.Class == registry.Invalid && e.Hint == "" {
		e.Hint = "check that every member exists: Google refuses the whole change for one that does not"
	}
	return err
}
