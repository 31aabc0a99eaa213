package gar

import (
	"context"
	"net/http"

	"transship/internal/ref"
)

// DeleteTag takes a tag away from an image, which stays: 1 request. A tag that is not there any more is no error. It needs
// artifactregistry.tags.delete, and fails in a repository with immutable tags. FACTS B2, B3.
func (c *Cloud) DeleteTag(ctx context.Context, image ref.TargetImage, tag string) error {
	what := call{op: "delete tag", object: image.String() + ":" + tag, repository: image.Repository, permission: "tags.delete"}
	_, err := c.repositories.Packages.Tags.Delete(packageName(image) + "/tags/" + tag).Context(ctx).Do()
	if err != nil && !isStatus(err, http.StatusNotFound) {
		return c.fail(ctx, what, err)
	}
	return nil
}
