package iamsim

import (
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// STS is the Security Token Service of AWS, at all of its hosts: GetCallerIdentity, AssumeRole and
// AssumeRoleWithWebIdentity.
type STS struct{ AWS *AWS }

// Kind says sts: which operation it is stands in the body.
func (STS) Kind(*http.Request) string { return "sts" }

type xmlKeys struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

type xmlSession struct {
	XMLName xml.Name
	Result  struct {
		XMLName         xml.Name
		Credentials     xmlKeys
		AssumedRoleUser struct {
			AssumedRoleID string `xml:"AssumedRoleId"`
			Arn           string
		}
	}
}

type xmlIdentity struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
	Arn     string   `xml:"GetCallerIdentityResult>Arn"`
	UserID  string   `xml:"GetCallerIdentityResult>UserId"`
	Account string   `xml:"GetCallerIdentityResult>Account"`
}

func (s STS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		answerXML(w, nil, refusef(400, "MalformedQueryString", "%v", err))
		return
	}
	var out any
	var err error
	switch action := r.Form.Get("Action"); action {
	case "GetCallerIdentity":
		out, err = s.identity(r)
	case "AssumeRole":
		out, err = s.assume(r)
	case "AssumeRoleWithWebIdentity":
		out, err = s.webIdentity(r.Form)
	default:
		err = refusef(400, "InvalidAction", "Could not find operation %s for version 2011-06-15", action)
	}
	answerXML(w, out, err)
}

// caller is who signed the request.
func (s STS) caller(r *http.Request) (Principal, error) {
	return s.AWS.caller(r.Header.Get("Authorization"), r.Header.Get("X-Amz-Security-Token"))
}

func (a *AWS) caller(header, sessionToken string) (Principal, error) {
	if header == "" {
		return Principal{}, refusef(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
	}
	_, rest, _ := strings.Cut(header, "Credential=")
	scope := strings.Split(strings.SplitN(rest, ",", 2)[0], "/")
	if !strings.HasPrefix(header, "AWS4-HMAC-SHA256 ") || len(scope) != 5 {
		return Principal{}, refusef(400, "IncompleteSignature", "Authorization header requires 'Credential' parameter.")
	}
	p, status := a.Lookup(scope[0], sessionToken)
	switch status {
	case Good:
		return p, nil
	case Expired:
		return Principal{}, refusef(403, "ExpiredToken", "The security token included in the request is expired")
	case Unknown:
		if a.Fallback != nil {
			if account, arn, ok := a.Fallback(scope[0]); ok {
				return Principal{Account: account, ARN: arn}, nil
			}
		}
	}
	return Principal{}, refusef(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
}

func (s STS) identity(r *http.Request) (any, error) {
	p, err := s.caller(r)
	if err != nil {
		return nil, err
	}
	return xmlIdentity{Arn: p.ARN, UserID: "AIDA" + strings.ToUpper(p.Account), Account: p.Account}, nil
}

func (s STS) assume(r *http.Request) (any, error) {
	caller, err := s.caller(r)
	if err != nil {
		return nil, err
	}
	arn := r.Form.Get("RoleArn")
	if strings.Count(arn, ":") != 5 {
		return nil, refusef(400, "ValidationError", "%s is invalid", arn)
	}
	role, ok := s.AWS.role(arn)
	if !ok || !role.trusts(caller, r.Form.Get("ExternalId")) {
		return nil, refusef(403, "AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on resource: %s", caller.ARN, arn)
	}
	return s.answer("AssumeRole", role, r.Form)
}

func (s STS) webIdentity(form url.Values) (any, error) {
	role, ok := s.AWS.role(form.Get("RoleArn"))
	if !ok || role.Federated == "" {
		return nil, refusef(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	}
	claims, err := s.AWS.google.verify(form.Get("WebIdentityToken"))
	switch {
	case errors.Is(err, errExpired):
		return nil, refusef(400, "ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time")
	case err != nil:
		return nil, refusef(400, "InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements")
	}
	if strings.TrimPrefix(claims.Issuer, "https://") != role.Federated || role.Audience != "" && role.Audience != claims.Audience ||
		role.Subject != "" && role.Subject != claims.Subject {
		return nil, refusef(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	}
	return s.answer("AssumeRoleWithWebIdentity", role, form)
}

func (s STS) answer(operation string, role Role, form url.Values) (any, error) {
	k, p, err := s.AWS.session(role, form)
	if err != nil {
		return nil, err
	}
	var out xmlSession
	out.XMLName = xml.Name{Space: stsNamespace, Local: operation + "Response"}
	out.Result.XMLName.Local = operation + "Result"
	out.Result.Credentials = xmlKeys{k.AccessKeyID, k.SecretAccessKey, k.SessionToken, k.Expires.UTC().Format(time.RFC3339)}
	out.Result.AssumedRoleUser.Arn, out.Result.AssumedRoleUser.AssumedRoleID = p.ARN, "AROAEMBEDDED:"+form.Get("RoleSessionName")
	return out, nil
}

func answerXML(w http.ResponseWriter, out any, err error) {
	status := http.StatusOK
	if e, ok := errors.AsType[*refusal](err); ok {
		type detail struct{ Type, Code, Message string }
		status = e.status
		out = struct {
			XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
			Error   detail
		}{Error: detail{"Sender", e.code, e.message}}
	}
	body, err := xml.Marshal(out)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
