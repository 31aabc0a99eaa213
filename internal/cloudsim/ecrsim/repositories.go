package ecrsim

import (
	"encoding/json"
	"regexp"
	"slices"
)

type repositoryJSON struct {
	RepositoryArn      string          `json:"repositoryArn"`
	RegistryID         string          `json:"registryId"`
	RepositoryName     string          `json:"repositoryName"`
	RepositoryURI      string          `json:"repositoryUri"`
	CreatedAt          epoch           `json:"createdAt"`
	ImageTagMutability string          `json:"imageTagMutability"`
	ExclusionFilters   []filterJSON    `json:"imageTagMutabilityExclusionFilters,omitempty"`
	Scanning           scanningJSON    `json:"imageScanningConfiguration"`
	Encryption         *encryptionJSON `json:"encryptionConfiguration"`
}

type filterJSON struct {
	FilterType string `json:"filterType"`
	Filter     string `json:"filter"`
}

type scanningJSON struct {
	ScanOnPush bool `json:"scanOnPush"`
}

type encryptionJSON struct {
	EncryptionType string `json:"encryptionType"`
	KMSKey         string `json:"kmsKey,omitempty"`
}

func (p *Repository) describe() repositoryJSON {
	s := p.Settings()
	out := repositoryJSON{
		RepositoryArn:      p.registry.arn(p.name),
		RegistryID:         p.registry.account,
		RepositoryName:     p.name,
		RepositoryURI:      p.registry.Host() + "/" + p.name,
		CreatedAt:          epoch{s.CreatedAt},
		ImageTagMutability: s.Mutability,
		Scanning:           scanningJSON{s.ScanOnPush},
		Encryption:         &encryptionJSON{s.EncryptionType, s.KMSKey},
	}
	for _, f := range s.ExclusionFilters {
		out.ExclusionFilters = append(out.ExclusionFilters, filterJSON{"WILDCARD", f})
	}
	return out
}

type describeRepositoriesInput struct {
	RepositoryNames []string `json:"repositoryNames"`
	paging
}

func describeRepositories(c *call, in *describeRepositoriesInput) (any, error) {
	repos, next, err := c.selectRepositories(in)
	if err != nil {
		return nil, err
	}
	out := make([]repositoryJSON, 0, len(repos))
	for _, repo := range repos {
		out = append(out, repo.describe())
	}
	return struct {
		Repositories []repositoryJSON `json:"repositories"`
		NextToken    string           `json:"nextToken,omitempty"`
	}{out, next}, nil
}

func (c *call) selectRepositories(in *describeRepositoriesInput) (repos []*Repository, next string, err error) {
	if in.RepositoryNames == nil {
		return page(c.reg.Repositories(), in.paging, 100, 1000, (*Repository).Name, nil, false)
	}
	switch {
	case in.NextToken != "" || in.MaxResults != nil:
		return nil, "", failf("InvalidParameterException",
			"Invalid parameter: maxResults and nextToken cannot be used together with repositoryNames")
	case len(in.RepositoryNames) == 0:
		return nil, "", invalidf("repositoryNames", "Member must have length greater than or equal to 1")
	case len(in.RepositoryNames) > 100:
		return nil, "", invalidf("repositoryNames", "Member must have length less than or equal to 100")
	}
	for _, name := range in.RepositoryNames {
		repo, err := c.repository(name)
		if err != nil {
			return nil, "", err
		}
		repos = append(repos, repo)
	}
	return repos, "", nil
}

type createRepositoryInput struct {
	RepositoryName string          `json:"repositoryName"`
	Tags           []tagJSON       `json:"tags"`
	Mutability     string          `json:"imageTagMutability"`
	Filters        []filterJSON    `json:"imageTagMutabilityExclusionFilters"`
	Scanning       *scanningJSON   `json:"imageScanningConfiguration"`
	Encryption     *encryptionJSON `json:"encryptionConfiguration"`
}

// namePattern is the form of a private repository's name. FACTS A1.
const namePattern = `^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`

var nameForm = regexp.MustCompile(namePattern)

func validName(name string) error {
	switch {
	case len(name) < 2:
		return invalidf("repositoryName", "Member must have length greater than or equal to 2")
	case len(name) > 256:
		return invalidf("repositoryName", "Member must have length less than or equal to 256")
	case !nameForm.MatchString(name):
		return invalidf("repositoryName", "must satisfy regular expression '%s'", namePattern)
	}
	return nil
}

func createRepository(c *call, in *createRepositoryInput) (any, error) {
	if err := validName(in.RepositoryName); err != nil {
		return nil, err
	}
	s := RepositorySettings{Mutability: in.Mutability, Tags: map[string]string{}}
	if in.Scanning != nil {
		s.ScanOnPush = in.Scanning.ScanOnPush
	}
	if in.Encryption != nil {
		s.EncryptionType, s.KMSKey = in.Encryption.EncryptionType, in.Encryption.KMSKey
	}
	for _, f := range in.Filters {
		s.ExclusionFilters = append(s.ExclusionFilters, f.Filter)
	}
	for _, t := range in.Tags {
		s.Tags[t.Key] = t.Value
	}
	repo, created := c.reg.create(in.RepositoryName, s)
	if !created {
		return nil, failf("RepositoryAlreadyExistsException",
			"The repository with name '%s' already exists in the registry with id '%s'", in.RepositoryName, c.reg.account)
	}
	return map[string]any{"repository": repo.describe()}, nil
}

type deleteRepositoryInput struct {
	RepositoryName string `json:"repositoryName"`
	Force          bool   `json:"force"`
}

func deleteRepository(c *call, in *deleteRepositoryInput) (any, error) {
	repo, err := c.repository(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if len(repo.Content.Manifests()) > 0 && !in.Force {
		return nil, failf("RepositoryNotEmptyException",
			"The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images",
			in.RepositoryName, c.reg.account)
	}
	c.reg.DeleteRepository(in.RepositoryName)
	return map[string]any{"repository": repo.describe()}, nil
}

type putImageTagMutabilityInput struct {
	RepositoryName string       `json:"repositoryName"`
	Mutability     string       `json:"imageTagMutability"`
	Filters        []filterJSON `json:"imageTagMutabilityExclusionFilters"`
}

func putImageTagMutability(c *call, in *putImageTagMutabilityInput) (any, error) {
	repo, err := c.repository(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	modes := []string{"MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"}
	if !slices.Contains(modes, in.Mutability) {
		return nil, invalidf("imageTagMutability", "Member must satisfy enum value set: %v", modes)
	}
	repo.Update(func(s *RepositorySettings) {
		s.Mutability, s.ExclusionFilters = in.Mutability, nil
		for _, f := range in.Filters {
			s.ExclusionFilters = append(s.ExclusionFilters, f.Filter)
		}
	})
	return struct {
		RegistryID     string       `json:"registryId"`
		RepositoryName string       `json:"repositoryName"`
		Mutability     string       `json:"imageTagMutability"`
		Filters        []filterJSON `json:"imageTagMutabilityExclusionFilters,omitempty"`
	}{c.reg.account, in.RepositoryName, in.Mutability, in.Filters}, nil
}

// isJSON says whether text is a JSON object, which is all that the embedded ECR asks of a policy.
func isJSON(text string) bool {
	var object map[string]any
	return json.Unmarshal([]byte(text), &object) == nil
}
