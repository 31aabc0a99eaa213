package iamsim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// verifySignature checks the SigV4 signature of a request without a body, made with the key whose secret it is.
func verifySignature(method string, u *url.URL, header http.Header, secret string) error {
	fields := map[string]string{}
	rest, ok := strings.CutPrefix(header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[name] = value
	}
	scope := strings.Split(fields["Credential"], "/")
	if !ok || len(scope) != 5 {
		return errors.New("there is no signature")
	}
	var headers strings.Builder
	signed := strings.Split(fields["SignedHeaders"], ";")
	for _, name := range signed {
		value := strings.Join(header.Values(name), ",")
		if name == "host" {
			value = u.Host
		}
		headers.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	if !slices.Contains(signed, "host") || !slices.Contains(signed, "x-amz-date") {
		return errors.New("host and date are not signed")
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	empty := sha256.Sum256(nil)
	canonical := strings.Join([]string{method, path, strings.ReplaceAll(u.Query().Encode(), "+", "%20"), headers.String(),
		fields["SignedHeaders"], hex.EncodeToString(empty[:])}, "\n")
	hash := sha256.Sum256([]byte(canonical))
	toSign := strings.Join([]string{"AWS4-HMAC-SHA256", header.Get("X-Amz-Date"), strings.Join(scope[1:], "/"), hex.EncodeToString(hash[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range append(scope[1:], toSign) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	if !hmac.Equal([]byte(hex.EncodeToString(key)), []byte(fields["Signature"])) {
		return errors.New("the signature is not right")
	}
	return nil
}
