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

// SetScanning sets the registry's scanning to BASIC (default) or ENHANCED, by rules.
func (r *Registry) SetScanning(scanType string, rules ...ScanRule) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.scanType, r.scanRules = scanType, rules
}

// SetPolicy sets the registry's own policy; "" removes it.
func (r *Registry) SetPolicy(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.policy = text
}

// ScanRule is one of the registry's scanning configuration: how often what matches a filter is scanned.
type ScanRule struct {
	Frequency string       `json:"scanFrequency"`
	Filters   []ScanFilter `json:"repositoryFilters"`
}

// ScanFilter is a wildcard on names of repositories.
type ScanFilter struct {
	Filter string `json:"filter"`
	Type   string `json:"filterType"`
}

type scanConfiguration struct {
	ScanType string     `json:"scanType"`
	Rules    []ScanRule `json:"rules"`
}

func getRegistryScanningConfiguration(c *call, _ *struct{}) (any, error) {
	c.reg.mu.RLock()
	defer c.reg.mu.RUnlock()
	return map[string]any{
		"registryId":            c.reg.account,
		"scanningConfiguration": scanConfiguration{c.reg.scanType, append([]ScanRule{}, c.reg.scanRules...)},
	}, nil
}

func putRegistryScanningConfiguration(c *call, in *scanConfiguration) (any, error) {
	for _, r := range in.Rules {
		if len(r.Filters) == 0 || !slices.Contains([]string{"SCAN_ON_PUSH", "CONTINUOUS_SCAN", "MANUAL"}, r.Frequency) {
			return nil, invalidf("rules", "Member must have a scanFrequency of [SCAN_ON_PUSH, CONTINUOUS_SCAN, MANUAL] and repositoryFilters")
		}
	}
	c.reg.mu.Lock()
	defer c.reg.mu.Unlock()
	c.reg.scanType, c.reg.scanRules = cmp.Or(in.ScanType, "BASIC"), in.Rules
	return map[string]any{"registryScanningConfiguration": in}, nil
}

type registryPolicy struct {
	RegistryID string `json:"registryId"`
	PolicyText string `json:"policyText"`
}

// registryPolicy answers with the text that an operation on the registry's policy sets, reads or has deleted.
func (c *call) registryPolicy(change func(text string) string) (any, error) {
	c.reg.mu.Lock()
	defer c.reg.mu.Unlock()
	before := c.reg.policy
	c.reg.policy = change(before)
	text := cmp.Or(c.reg.policy, before)
	if text == "" {
		return nil, failf("RegistryPolicyNotFoundException", "Registry policy does not exist in the registry with id '%s'", c.reg.account)
	}
	return registryPolicy{c.reg.account, text}, nil
}

func getRegistryPolicy(c *call, _ *struct{}) (any, error) {
	return c.registryPolicy(func(text string) string { return text })
}

func putRegistryPolicy(c *call, in *registryPolicy) (any, error) {
	if len(in.PolicyText) > 10240 || !isJSON(in.PolicyText) {
		return nil, failf("InvalidParameterException", "Invalid parameter at 'PolicyText' failed to satisfy constraint: "+
			"'Invalid registry policy provided'")
	}
	return c.registryPolicy(func(string) string { return in.PolicyText })
}

func deleteRegistryPolicy(c *call, _ *struct{}) (any, error) {
	return c.registryPolicy(func(string) string { return "" })
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
	e, fresh := c.reg.exclude(in.PrincipalArn)
	if !fresh {
		return nil, failf("ExclusionAlreadyExistsException", "The exclusion for the principal '%s' already exists", in.PrincipalArn)
	}
	return e, nil
}

// ExcludePulls has the principal's pulls no longer recorded, as RegisterPullTimeUpdateExclusion does.
func (r *Registry) ExcludePulls(principal string) { r.exclude(principal) }

func (r *Registry) exclude(principal string) (made exclusion, fresh bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.ContainsFunc(r.exclusions, func(e exclusion) bool { return e.PrincipalArn == principal }) {
		return exclusion{}, false
	}
	e := exclusion{principal, epoch{r.now()}}
	r.exclusions = append(r.exclusions, e)
	return e, true
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
