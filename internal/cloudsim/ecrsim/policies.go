package ecrsim

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

type policyInput struct {
	RepositoryName string `json:"repositoryName"`
	LifecycleText  string `json:"lifecyclePolicyText"`
	PolicyText     string `json:"policyText"`
}

type policyOutput struct {
	RegistryID      string `json:"registryId"`
	RepositoryName  string `json:"repositoryName"`
	LifecycleText   string `json:"lifecyclePolicyText,omitempty"`
	LastEvaluatedAt *epoch `json:"lastEvaluatedAt,omitempty"`
	PolicyText      string `json:"policyText,omitempty"`
}

// lifecycle answers with the text that a lifecycle operation sets, reads or has deleted.
func (c *call) lifecycle(name string, change func(*RepositorySettings)) (any, error) {
	repo, err := c.repository(name)
	if err != nil {
		return nil, err
	}
	text := repo.Settings().LifecyclePolicy
	repo.Update(change)
	text = cmp.Or(repo.Settings().LifecyclePolicy, text)
	if text == "" {
		return nil, failf("LifecyclePolicyNotFoundException", "Lifecycle policy does not exist for the repository with name '%s' "+
			"in the registry with id '%s'", name, c.reg.account)
	}
	return policyOutput{RegistryID: c.reg.account, RepositoryName: name, LifecycleText: text,
		LastEvaluatedAt: optional(c.reg.now())}, nil
}

func getLifecyclePolicy(c *call, in *policyInput) (any, error) {
	return c.lifecycle(in.RepositoryName, func(*RepositorySettings) {})
}

func putLifecyclePolicy(c *call, in *policyInput) (any, error) {
	if n := len(in.LifecycleText); n < 100 || n > 30720 {
		return nil, invalidf("lifecyclePolicyText", "Member must have length between 100 and 30720")
	}
	if !isJSON(in.LifecycleText) {
		return nil, failf("InvalidParameterException", "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "+
			"'Lifecycle policy validation failure: the text is not JSON'")
	}
	return c.lifecycle(in.RepositoryName, func(s *RepositorySettings) { s.LifecyclePolicy = in.LifecycleText })
}

func deleteLifecyclePolicy(c *call, in *policyInput) (any, error) {
	return c.lifecycle(in.RepositoryName, func(s *RepositorySettings) { s.LifecyclePolicy = "" })
}

// policy is lifecycle's like for repository policies.
func (c *call) policy(name string, change func(*RepositorySettings)) (any, error) {
	repo, err := c.repository(name)
	if err != nil {
		return nil, err
	}
	text := repo.Settings().RepositoryPolicy
	repo.Update(change)
	text = cmp.Or(repo.Settings().RepositoryPolicy, text)
	if text == "" {
		return nil, failf("RepositoryPolicyNotFoundException", "Repository policy does not exist for the repository with name '%s' "+
			"in the registry with id '%s'", name, c.reg.account)
	}
	return policyOutput{RegistryID: c.reg.account, RepositoryName: name, PolicyText: text}, nil
}

func getRepositoryPolicy(c *call, in *policyInput) (any, error) {
	return c.policy(in.RepositoryName, func(*RepositorySettings) {})
}

func setRepositoryPolicy(c *call, in *policyInput) (any, error) {
	if len(in.PolicyText) > 10240 || !isJSON(in.PolicyText) {
		return nil, failf("InvalidParameterException", "Invalid parameter at 'PolicyText' failed to satisfy constraint: "+
			"'Invalid repository policy provided'")
	}
	return c.policy(in.RepositoryName, func(s *RepositorySettings) { s.RepositoryPolicy = in.PolicyText })
}

func deleteRepositoryPolicy(c *call, in *policyInput) (any, error) {
	return c.policy(in.RepositoryName, func(s *RepositorySettings) { s.RepositoryPolicy = "" })
}

// tagJSON is a resource tag. Its field names are the only ones in ECR's API that begin with a capital.
type tagJSON struct {
	Key   string `json:"Key"`
	Value string `json:"Value"`
}

type tagsInput struct {
	ResourceArn string    `json:"resourceArn"`
	Tags        []tagJSON `json:"tags"`
	TagKeys     []string  `json:"tagKeys"`
}

// tagged returns the repository that an ARN names.
func (c *call) tagged(arn string) (*Repository, error) {
	name, ok := strings.CutPrefix(arn, c.reg.arn(""))
	if !ok {
		return nil, failf("InvalidParameterException", "Invalid parameter at 'resourceArn' failed to satisfy constraint: "+
			"'Invalid ARN'")
	}
	return c.repository(name)
}

func listTagsForResource(c *call, in *tagsInput) (any, error) {
	repo, err := c.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags := repo.Settings().Tags
	out := []tagJSON{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, tagJSON{key, tags[key]})
	}
	return map[string]any{"tags": out}, nil
}

func tagResource(c *call, in *tagsInput) (any, error) {
	repo, err := c.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	for _, t := range in.Tags {
		if t.Key == "" || len(t.Key) > 128 || len(t.Value) > 256 || strings.HasPrefix(t.Key, "aws:") {
			return nil, failf("InvalidTagParameterException", "Invalid tag key or value: '%s'", t.Key)
		}
	}
	repo.Update(func(s *RepositorySettings) {
		tags := maps.Clone(s.Tags) // readers may hold the old map
		if tags == nil {
			tags = map[string]string{}
		}
		for _, t := range in.Tags {
			tags[t.Key] = t.Value
		}
		s.Tags = tags
	})
	return struct{}{}, nil
}

func untagResource(c *call, in *tagsInput) (any, error) {
	repo, err := c.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	repo.Update(func(s *RepositorySettings) {
		tags := maps.Clone(s.Tags)
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
		s.Tags = tags
	})
	return struct{}{}, nil
}
