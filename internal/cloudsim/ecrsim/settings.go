package ecrsim

import (
	"cmp"
	"encoding/base64"
	"slices"
)

type authorizationInput struct {
	RegistryIDs []string `json:"registryIds"`
}

type authorizationJSON struct {
	Token         string `json:"authorizationToken"`
	ExpiresAt     epoch  `json:"expiresAt"`
	ProxyEndpoint string `json:"proxyEndpoint"`
}

// getAuthorizationToken gives a password for all data planes of the region. Named registries (deprecated) get an entry each.
func getAuthorizationToken(c *call, in *authorizationInput) (any, error) {
	if len(in.RegistryIDs) > 10 {
		return nil, invalidf("registryIds", "Member must have length less than or equal to 10")
	}
	endpoints := []string{c.caller.Host()}
	if len(in.RegistryIDs) > 0 {
		endpoints = nil
		for _, id := range in.RegistryIDs {
			endpoints = append(endpoints, id+".dkr.ecr."+c.region.name+suffix(c.region.name))
		}
	}
	out := []authorizationJSON{}
	for _, endpoint := range endpoints {
		password, expires := c.region.issue(c.principal)
		out = append(out, authorizationJSON{
			Token:     base64.StdEncoding.EncodeToString([]byte("AWS:" + password)),
			ExpiresAt: epoch{expires}, ProxyEndpoint: "https://" + endpoint,
		})
	}
	return map[string]any{"authorizationData": out}, nil
}

func describeRegistry(c *call, _ *struct{}) (any, error) {
	return map[string]any{
		"registryId":               c.reg.account,
		"replicationConfiguration": map[string]any{"rules": []any{}},
	}, nil
}

type ruleJSON struct {
	Prefix      string `json:"ecrRepositoryPrefix"`
	UpstreamURL string `json:"upstreamRegistryUrl"`
	Upstream    string `json:"upstreamRegistry,omitempty"`
	CreatedAt   epoch  `json:"createdAt"`
	UpdatedAt   epoch  `json:"updatedAt"`
	RegistryID  string `json:"registryId"`
}

type rulesInput struct {
	Prefixes []string `json:"ecrRepositoryPrefixes"`
	paging
}

func describePullThroughCacheRules(c *call, in *rulesInput) (any, error) {
	c.reg.mu.RLock()
	rules := slices.Clone(c.reg.rules)
	c.reg.mu.RUnlock()
	var all []ruleJSON
	for _, r := range rules {
		if len(in.Prefixes) == 0 || slices.Contains(in.Prefixes, r.Prefix) {
			all = append(all, ruleJSON{r.Prefix, r.UpstreamURL, r.Upstream, epoch{r.CreatedAt}, epoch{r.CreatedAt}, c.reg.account})
		}
	}
	if len(all) < len(in.Prefixes) {
		return nil, failf("PullThroughCacheRuleNotFoundException",
			"A pull through cache rule with one of the prefixes %v does not exist in the registry with id '%s'", in.Prefixes, c.reg.account)
	}
	key := func(r ruleJSON) string { return r.Prefix }
	slices.SortFunc(all, func(a, b ruleJSON) int { return cmp.Compare(a.Prefix, b.Prefix) })
	out, next, err := page(all, in.paging, 100, 1000, key, nil, false)
	if err != nil {
		return nil, err
	}
	return struct {
		Rules     []ruleJSON `json:"pullThroughCacheRules"`
		NextToken string     `json:"nextToken,omitempty"`
	}{out, next}, nil
}

func describeRepositoryCreationTemplates(c *call, _ *struct{}) (any, error) {
	return map[string]any{"registryId": c.reg.account, "repositoryCreationTemplates": []any{}}, nil
}

// SetScanType sets the registry's scanning to BASIC (default) or ENHANCED.
func (r *Registry) SetScanType(scanType string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.scanType = scanType
}

func getRegistryScanningConfiguration(c *call, _ *struct{}) (any, error) {
	c.reg.mu.RLock()
	defer c.reg.mu.RUnlock()
	return map[string]any{
		"registryId":            c.reg.account,
		"scanningConfiguration": map[string]any{"scanType": c.reg.scanType, "rules": []any{}},
	}, nil
}

type accountSettingInput struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func getAccountSetting(c *call, in *accountSettingInput) (any, error) {
	value, ok := c.reg.accountSetting(in.Name)
	if !ok {
		return nil, invalidf("name", "Member must satisfy enum value set: [BASIC_SCAN_TYPE_VERSION, REGISTRY_POLICY_SCOPE, BLOB_MOUNTING]")
	}
	return map[string]string{"name": in.Name, "value": value}, nil
}

func putAccountSetting(c *call, in *accountSettingInput) (any, error) {
	if _, err := getAccountSetting(c, in); err != nil {
		return nil, err
	}
	c.reg.SetAccountSetting(in.Name, in.Value)
	return map[string]string{"name": in.Name, "value": in.Value}, nil
}

type exclusionInput struct {
	PrincipalArn string `json:"principalArn"`
}

func registerPullTimeUpdateExclusion(c *call, in *exclusionInput) (any, error) {
	c.reg.mu.Lock()
	defer c.reg.mu.Unlock()
	if slices.ContainsFunc(c.reg.exclusions, func(e exclusion) bool { return e.PrincipalArn == in.PrincipalArn }) {
		return nil, failf("ExclusionAlreadyExistsException", "The exclusion for the principal '%s' already exists", in.PrincipalArn)
	}
	e := exclusion{in.PrincipalArn, epoch{c.reg.now()}}
	c.reg.exclusions = append(c.reg.exclusions, e)
	return e, nil
}

func deregisterPullTimeUpdateExclusion(c *call, in *exclusionInput) (any, error) {
	c.reg.mu.Lock()
	defer c.reg.mu.Unlock()
	before := len(c.reg.exclusions)
	c.reg.exclusions = slices.DeleteFunc(c.reg.exclusions, func(e exclusion) bool { return e.PrincipalArn == in.PrincipalArn })
	if len(c.reg.exclusions) == before {
		return nil, failf("ExclusionNotFoundException", "The exclusion for the principal '%s' does not exist", in.PrincipalArn)
	}
	return in, nil
}

func listPullTimeUpdateExclusions(c *call, _ *struct{}) (any, error) {
	c.reg.mu.RLock()
	defer c.reg.mu.RUnlock()
	out := []string{}
	for _, e := range c.reg.exclusions {
		out = append(out, e.PrincipalArn)
	}
	return map[string]any{"pullTimeUpdateExclusions": out}, nil
}
