package ecrsim

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
)

// STS answers GetCallerIdentity and nothing else, at sts.amazonaws.com and its regional forms.
type STS struct {
	// Caller returns the account and ARN that an access key belongs to, and whether the key is good.
	Caller func(accessKey string) (account, arn string, ok bool)
}

// Kind says sts.
func (STS) Kind(*http.Request) string { return "sts" }

type callerIdentity struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
	Arn     string   `xml:"GetCallerIdentityResult>Arn"`
	UserID  string   `xml:"GetCallerIdentityResult>UserId"`
	Account string   `xml:"GetCallerIdentityResult>Account"`
}

func (s STS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer drain(r.Body)
	header := r.Header.Get("Authorization")
	if header == "" {
		stsError(w, "MissingAuthenticationToken", "Request is missing Authentication Token")
		return
	}
	scope, err := credentialScope(header)
	if err != nil {
		stsError(w, "IncompleteSignature", err.Error())
		return
	}
	account, arn, ok := s.Caller(scope[0])
	if !ok {
		stsError(w, "InvalidClientTokenId", "The security token included in the request is invalid.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil || r.Form.Get("Action") != "GetCallerIdentity" {
		stsError(w, "InvalidAction", "the embedded STS knows GetCallerIdentity alone")
		return
	}
	writeXML(w, http.StatusOK, callerIdentity{Arn: arn, UserID: "AIDA" + strings.ToUpper(account), Account: account})
}

func stsError(w http.ResponseWriter, code, message string) {
	type detail struct{ Type, Code, Message string }
	writeXML(w, http.StatusForbidden, struct {
		XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
		Error   detail
	}{Error: detail{"Sender", code, message}})
}

func writeXML(w http.ResponseWriter, status int, v any) {
	body, err := xml.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "%s", body)
}
