package ecr

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"

	"transship/internal/registry"
)

type atomicConfig = atomic.Pointer[aws.Config]

// roleError says that a role could not be assumed.
type roleError struct {
	arn        string
	externalID bool   // one was sent
	web        bool   // it was to be assumed with an ID token
	token      bool   // there was no such token
	audience   string // of the token
	err        error
}

func (e *roleError) Error() string { return "assume " + e.arn + ": " + e.err.Error() }
func (e *roleError) Unwrap() error { return e.err }

// profile is the name of the profile that the SDK uses, empty where nobody named one.
func (o Options) profile() string {
	if o.Profile != "" {
		return o.Profile
	}
	return os.Getenv("AWS_PROFILE")
}

// explanation is what an error of the credentials comes down to.
type explanation struct {
	class      registry.Class
	text, hint string
}

// explainCredentials finds in the SDK's nested errors what is wrong, and what mends it.
func explainCredentials(err error, profile string) explanation {
	if failed, ok := errors.AsType[*roleError](err); ok && !failed.token {
		if e, ok := explainRole(failed); ok {
			return e
		}
	}
	if missing, ok := errors.AsType[config.SharedConfigProfileNotExistError](err); ok {
		return explanation{registry.Unauthorized, fmt.Sprintf("the AWS configuration has no profile %q", missing.Profile),
			`"aws configure list-profiles" lists those that there are; the files are ~/.aws/config and ~/.aws/credentials, or what AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name`}
	}
	if isEndedSSO(err) {
		login := "aws sso login"
		if profile != "" {
			login += " --profile " + profile
		}
		return explanation{registry.Unauthorized, "the SSO session of " + profileText(profile) + " has expired, or there is none", fmt.Sprintf("run %q", login)}
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		if expiredCode(api.ErrorCode()) {
			return explanation{registry.Unauthorized, "the AWS credentials have expired: " + apiText(api, err), hintCredentials}
		}
	}
	return explanation{registry.Unauthorized, "no AWS credentials: " + oneLine(err), hintCredentials}
}

func profileText(profile string) string {
	if profile == "" {
		return "the default profile"
	}
	return fmt.Sprintf("profile %q", profile)
}

// isEndedSSO reports whether the session of "aws sso login" is over: its token's file says so, is missing, cannot be
// refreshed, or the service refuses it.
func isEndedSSO(err error) bool {
	if _, ok := errors.AsType[*ssocreds.InvalidTokenError](err); ok {
		return true
	}
	if e, ok := errors.AsType[*smithy.OperationError](err); ok && (e.ServiceID == "SSO" || e.ServiceID == "SSO OIDC") {
		api, ok := errors.AsType[smithy.APIError](err)
		return ok && (api.ErrorCode() == "UnauthorizedException" || api.ErrorCode() == "InvalidGrantException" || api.ErrorCode() == "ExpiredTokenException")
	}
	text := err.Error()
	return strings.Contains(text, "cached SSO token")
}

// The messages of STS: "User: arn:… is not authorized to perform: sts:AssumeRole on resource: arn:…".
var assumerPattern = regexp.MustCompile(`User: (arn:[a-z-]+:[a-z]+::\d{12}:\S+)`)

// explainRole says who may not assume which role, and what its trust policy would have to say.
func explainRole(e *roleError) (explanation, bool) {
	api, ok := errors.AsType[smithy.APIError](e.err)
	if !ok {
		return explanation{}, false
	}
	out := explanation{class: registry.Denied, text: fmt.Sprintf("cannot assume the role %s: %s", e.arn, apiText(api, e.err))}
	switch code := api.ErrorCode(); {
	case expiredCode(code) && !e.web:
		return explanation{registry.Unauthorized, out.text, hintCredentials}, true
	case code == "AccessDenied" && e.web, code == "InvalidIdentityToken", code == "IDPRejectedClaim", expiredCode(code):
		out.text = fmt.Sprintf("cannot assume the role %s with Google's ID token: %s", e.arn, apiText(api, e.err))
		out.hint = fmt.Sprintf(`its trust policy must allow sts:AssumeRoleWithWebIdentity to {"Federated":"accounts.google.com"}, with "accounts.google.com:oaud" being %q and "accounts.google.com:sub" the service account's numeric id`, e.audience)
	case code == "AccessDenied":
		caller, who := "the caller", `the caller ("aws sts get-caller-identity" names it)`
		if m := assumerPattern.FindStringSubmatch(api.ErrorMessage()); m != nil {
			caller, who = principal(m[1]), m[1]
			out.text = fmt.Sprintf("%s cannot assume the role %s: %s", who, e.arn, apiText(api, e.err))
		}
		out.hint = fmt.Sprintf(`the role's trust policy must allow sts:AssumeRole to {"AWS":%q}, and %s must be allowed sts:AssumeRole on %s`, caller, who, e.arn)
		if e.externalID {
			out.hint += "; the external ID must be the one that the trust policy wants (sts:ExternalId)"
		} else {
			out.hint += "; if the trust policy wants an external ID (sts:ExternalId), give it as external_id"
		}
	case code == "ValidationError":
		out.class, out.hint = registry.Invalid, "a role's ARN is like arn:aws:iam::123456789012:role/NAME"
	case code == "RegionDisabledException":
		out.hint = "activate STS in that region, in the settings of the account that the role belongs to"
	default:
		return explanation{}, false
	}
	return out, true
}

// principal turns the ARN of an assumed role's session into that of the role, which is what a policy names. The role's
// path is not in it: AWS does not tell.
func principal(arn string) string {
	f := strings.SplitN(arn, ":", 6)
	if len(f) != 6 || f[2] != "sts" || !strings.HasPrefix(f[5], "assumed-role/") {
		return arn
	}
	name := strings.Split(f[5], "/")[1]
	return fmt.Sprintf("%s:%s:iam::%s:role/%s", f[0], f[1], f[4], name)
}
