package ecrsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"transship/internal/cloudsim/iamsim"
)

const targetPrefix = "AmazonEC2ContainerRegistry_V20150921."

// maxRequestBody bounds what the API reads: a PutImage of the largest manifest, escaped, fits.
const maxRequestBody = 16 << 20

// api is the JSON API of a region.
type api struct{ region *Region }

// call is one API request after its signature was looked at.
type call struct {
	region *Region
	caller *Registry // of the account that the access key belongs to
	reg    *Registry // the registry that the request means
	// principal is whom the key belongs to, where the region's IAM knows it.
	principal iamsim.Principal
}

// apiError is an error as AWS JSON 1.1 sends it.
type apiError struct {
	status  int
	code    string
	message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func failf(code, format string, args ...any) *apiError {
	return &apiError{http.StatusBadRequest, code, fmt.Sprintf(format, args...)}
}

// invalidf is the error of a parameter out of bounds.
func invalidf(parameter, constraint string, args ...any) *apiError {
	return failf("InvalidParameterException", "Invalid parameter at '%s' failed to satisfy constraint: '%s'",
		parameter, fmt.Sprintf(constraint, args...))
}

// operation answers one API operation from its JSON input.
type operation func(c *call, body []byte) (any, error)

// op makes an operation of a function with typed input.
func op[In any](f func(c *call, in *In) (any, error)) operation {
	return func(c *call, body []byte) (any, error) {
		in := new(In)
		if err := json.Unmarshal(body, in); err != nil {
			return nil, failf("SerializationException", "%v", err)
		}
		return f(c, in)
	}
}

// lookupOperation returns the operation of a name, or nil.
func lookupOperation(name string) operation {
	switch name {
	case "DescribeRepositories":
		return op(describeRepositories)
	case "CreateRepository":
		return op(createRepository)
	case "DeleteRepository":
		return op(deleteRepository)
	case "PutImageTagMutability":
		return op(putImageTagMutability)
	case "DescribeImages":
		return op(describeImages)
	case "ListImages":
		return op(listImages)
	case "BatchGetImage":
		return op(batchGetImage)
	case "BatchDeleteImage":
		return op(batchDeleteImage)
	case "PutImage":
		return op(putImage)
	case "UpdateImageStorageClass":
		return op(updateImageStorageClass)
	case "ListImageReferrers":
		return op(listImageReferrers)
	case "GetDownloadUrlForLayer":
		return op(getDownloadURLForLayer)
	case "BatchCheckLayerAvailability":
		return op(batchCheckLayerAvailability)
	default:
		return lookupRegistryOperation(name)
	}
}

func lookupRegistryOperation(name string) operation {
	switch name {
	case "GetAuthorizationToken":
		return op(getAuthorizationToken)
	case "GetLifecyclePolicy":
		return op(getLifecyclePolicy)
	case "PutLifecyclePolicy":
		return op(putLifecyclePolicy)
	case "DeleteLifecyclePolicy":
		return op(deleteLifecyclePolicy)
	case "GetRepositoryPolicy":
		return op(getRepositoryPolicy)
	case "SetRepositoryPolicy":
		return op(setRepositoryPolicy)
	case "DeleteRepositoryPolicy":
		return op(deleteRepositoryPolicy)
	case "ListTagsForResource":
		return op(listTagsForResource)
	case "TagResource":
		return op(tagResource)
	case "UntagResource":
		return op(untagResource)
	case "DescribeRegistry":
		return op(describeRegistry)
	case "DescribePullThroughCacheRules":
		return op(describePullThroughCacheRules)
	case "DescribeRepositoryCreationTemplates":
		return op(describeRepositoryCreationTemplates)
	case "GetRegistryScanningConfiguration":
		return op(getRegistryScanningConfiguration)
	case "PutRegistryScanningConfiguration":
		return op(putRegistryScanningConfiguration)
	case "GetRegistryPolicy":
		return op(getRegistryPolicy)
	case "PutRegistryPolicy":
		return op(putRegistryPolicy)
	case "DeleteRegistryPolicy":
		return op(deleteRegistryPolicy)
	case "GetAccountSetting":
		return op(getAccountSetting)
	case "PutAccountSetting":
		return op(putAccountSetting)
	case "RegisterPullTimeUpdateExclusion":
		return op(registerPullTimeUpdateExclusion)
	case "DeregisterPullTimeUpdateExclusion":
		return op(deregisterPullTimeUpdateExclusion)
	case "ListPullTimeUpdateExclusions":
		return op(listPullTimeUpdateExclusions)
	default:
		return nil
	}
}

// Kind says ecr.OPERATION.
func (a api) Kind(r *http.Request) string {
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	if !ok || lookupOperation(name) == nil {
		return "ecr.unknown"
	}
	return "ecr." + name
}

func (a api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, err := a.answer(r)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-Requestid", "00000000-0000-4000-8000-000000000000")
	status := http.StatusOK
	if err != nil {
		e, ok := errors.AsType[*apiError](err)
		if !ok {
			e = &apiError{http.StatusInternalServerError, "ServerException", err.Error()}
		}
		status, out = e.status, map[string]string{"__type": e.code, "message": e.message}
	}
	body, err := json.Marshal(out)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func (a api) answer(r *http.Request) (any, error) {
	defer drain(r.Body)
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	operation := lookupOperation(name)
	if !ok || operation == nil || r.Method != http.MethodPost {
		return nil, failf("UnknownOperationException", "the embedded ECR does not know the operation %q", name)
	}
	caller, principal, err := a.authenticate(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequestBody+1))
	if err != nil {
		return nil, failf("SerializationException", "cannot read the request: %v", err)
	}
	if len(body) > maxRequestBody {
		return nil, &apiError{http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "the request is too large"}
	}
	reg, err := a.registry(caller, principal, name, body)
	if err != nil {
		return nil, err
	}
	if reg.denies(name) {
		return nil, reg.accessDenied(name, principal.ARN)
	}
	if !reg.allow(name) {
		return nil, failf("ThrottlingException", "Rate exceeded")
	}
	return operation(&call{region: a.region, caller: caller, reg: reg, principal: principal}, body)
}

// authenticate looks at the SigV4 header: its form, its scope and its key. The signature itself is not checked.
func (a api) authenticate(r *http.Request) (*Registry, iamsim.Principal, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return nil, iamsim.Principal{}, failf("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	scope, err := credentialScope(header)
	if err != nil {
		return nil, iamsim.Principal{}, err
	}
	if scope[2] != a.region.name || scope[3] != "ecr" {
		return nil, iamsim.Principal{}, failf("InvalidSignatureException", "Credential should be scoped to a valid region.")
	}
	p, status := iamsim.Principal{}, iamsim.Unknown
	if a.region.opts.IAM != nil {
		p, status = a.region.opts.IAM.Lookup(scope[0], r.Header.Get("X-Amz-Security-Token"))
	}
	switch status {
	case iamsim.Good:
		return a.region.Registry(p.Account), p, nil
	case iamsim.Expired:
		return nil, p, failf("ExpiredTokenException", "The security token included in the request is expired")
	case iamsim.Unknown:
		if caller, ok := a.region.Caller(scope[0]); ok {
			return caller, iamsim.Principal{}, nil
		}
	}
	return nil, p, failf("UnrecognizedClientException", "The security token included in the request is invalid.")
}

// credentialScope returns the five fields of the header's credential: key, date, region, service, aws4_request.
func credentialScope(header string) ([]string, error) {
	rest, ok := strings.CutPrefix(header, "AWS4-HMAC-SHA256 ")
	if !ok {
		return nil, failf("IncompleteSignatureException",
			"Unsupported AWS 'algorithm' in the Authorization header, expected AWS4-HMAC-SHA256")
	}
	for field := range strings.SplitSeq(rest, ",") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(field), "Credential="); ok {
			if scope := strings.Split(v, "/"); len(scope) == 5 {
				return scope, nil
			}
		}
	}
	return nil, failf("IncompleteSignatureException", "Authorization header requires 'Credential' parameter.")
}

// registry finds what the request's registryId means; without one it is the caller's registry.
func (a api) registry(caller *Registry, principal iamsim.Principal, operation string, body []byte) (*Registry, error) {
	var in struct {
		RegistryID  string `json:"registryId"`
		ResourceArn string `json:"resourceArn"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, failf("SerializationException", "%v", err)
	}
	id := in.RegistryID
	if fields := strings.Split(in.ResourceArn, ":"); id == "" && len(fields) > 4 {
		id = fields[4]
	}
	if id == "" {
		return caller, nil
	}
	reg := a.region.lookup(id)
	arn := caller.CallerARN()
	if principal.ARN != "" {
		arn = principal.ARN
		if !principal.MayRead(id) {
			reg = nil
		}
	}
	if reg == nil {
		return nil, failf("AccessDeniedException", "User: %s is not authorized to perform: ecr:%s on resource: arn:%s:ecr:%s:%s:repository/* "+
			"because no resource-based policy allows the ecr:%s action",
			arn, operation, partition(a.region.name), a.region.name, id, operation)
	}
	return reg, nil
}

// repository returns the repository name, or ECR's error.
func (c *call) repository(name string) (*Repository, error) {
	if name == "" {
		return nil, invalidf("repositoryName", "Member must not be null")
	}
	repo := c.reg.Repository(name)
	if repo == nil {
		return nil, noRepository(c.reg, name)
	}
	return repo, nil
}

func noRepository(r *Registry, name string) *apiError {
	return failf("RepositoryNotFoundException",
		"The repository with name '%s' does not exist in the registry with id '%s'", name, r.account)
}

// epoch is a time as AWS JSON has it: seconds since 1970 with a fraction.
type epoch struct{ time.Time }

// MarshalJSON writes milliseconds as a fraction.
func (e epoch) MarshalJSON() ([]byte, error) {
	seconds := math.Round(float64(e.UnixMilli())) / 1000
	return strconv.AppendFloat(nil, seconds, 'f', -1, 64), nil
}

// optional is nil for the zero time, so that omitempty leaves it out.
func optional(t time.Time) *epoch {
	if t.IsZero() {
		return nil
	}
	return &epoch{t}
}
