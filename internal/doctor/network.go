package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"transship/internal/clouds"
	"transship/internal/registry"
)

// How far the clocks may be apart: AWS refuses signatures beyond five minutes, some earlier.
const (
	skewWarn = 2 * time.Minute
	skewFail = 5 * time.Minute
)

// looks asks the hosts, all at once.
func (x *examiner) looks(ctx context.Context, hosts []string) []clouds.Look {
	out := make([]clouds.Look, len(hosts))
	var questions []func(context.Context) Check
	for i, host := range hosts {
		questions = append(questions, func(ctx context.Context) Check {
			out[i] = x.prober.Look(ctx, host)
			return Check{}
		})
	}
	all(ctx, questions)
	return out
}

// network says which hosts cannot be reached, and why. optional are those without which something still works.
func (x *examiner) network(looks []clouds.Look, where string, optional func(host string) bool) Check {
	var slowest time.Duration
	var bad *Check
	for _, l := range looks {
		slowest = max(slowest, l.Took)
		if l.Err == nil {
			continue
		}
		text, remedy := x.unreachable(l.Host, where, l.Err)
		c := failed("network", text, remedy...)
		if optional(l.Host) {
			c.Status = Warn
		}
		if bad == nil || bad.Status == Warn && c.Status == Fail {
			bad = &c
		}
	}
	if bad != nil {
		return *bad
	}
	return passed("network", fmt.Sprintf("all %d hosts answer, the slowest after %d ms", len(looks), max(1, slowest.Milliseconds())))
}

// unreachable says why host did not answer, and what to do.
func (x *examiner) unreachable(host, where string, err error) (text string, remedy []string) {
	if cert, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return untrusted(host, cert)
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return fmt.Sprintf("%s does not resolve", host), []string{where}
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" {
		return fmt.Sprintf("the proxy does not connect to %s: %s", host, cause(op.Err)),
			[]string{"let the proxy of HTTPS_PROXY through to " + host + ", or name the host in NO_PROXY"}
	}
	if errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		return fmt.Sprintf("%s does not answer within %s", host, patience),
			[]string{"a firewall may be in the way: allow this machine to connect to port 443 of " + host + ", or set HTTPS_PROXY"}
	}
	remedy = []string{"allow this machine to connect to port 443 of " + host}
	if x.Getenv("HTTPS_PROXY") != "" || x.Getenv("https_proxy") != "" {
		remedy = []string{"check HTTPS_PROXY and NO_PROXY, and that the proxy lets " + host + " through", where}
	}
	return fmt.Sprintf("%s cannot be reached: %s", host, cause(err)), remedy
}

// untrusted names who signed a certificate that this machine does not trust.
func untrusted(host string, err *tls.CertificateVerificationError) (string, []string) {
	issuer := "an unknown authority"
	if certs := err.UnverifiedCertificates; len(certs) > 0 {
		if name := certs[len(certs)-1].Issuer.String(); name != "" {
			issuer = fmt.Sprintf("%q", name)
		}
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return fmt.Sprintf("this machine does not trust the certificate of %s, which %s signed", host, issuer),
			[]string{
				"if that is a proxy of yours, put its authority's certificate into a file and name it:",
				"export SSL_CERT_FILE=/path/to/ca.pem AWS_CA_BUNDLE=/path/to/ca.pem",
			}
	}
	return fmt.Sprintf("the certificate of %s, signed by %s, is not good: %s", host, issuer, cause(err.Err)),
		[]string{"check this machine's clock, and whether a proxy answers in the host's place"}
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// cause is the innermost text of a network error: the outer ones repeat what was asked.
func cause(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// clock compares this machine's clock with those of the hosts.
func (x *examiner) clock(looks []clouds.Look) Check {
	now := x.Now()
	for _, l := range looks {
		if l.Date.IsZero() {
			continue
		}
		skew := now.Sub(l.Date)
		direction := "ahead of"
		if skew < 0 {
			direction = "behind"
		}
		text := fmt.Sprintf("this machine's clock is %s %s that of %s", skew.Abs().Round(time.Second), direction, l.Host)
		remedy := "set the clock by NTP: sudo timedatectl set-ntp true (systemd), or sudo chronyc makestep"
		switch {
		case skew.Abs() > skewFail:
			return failed("clock", text+"; signatures and tokens are refused", remedy)
		case skew.Abs() > skewWarn:
			return warned("clock", text+"; signatures are refused beyond 5 minutes", remedy)
		}
		return passed("clock", "agrees with "+l.Host)
	}
	return skipped("clock", "no host told its time")
}

// explain makes a check of an error: its text without what is repeated, and its hint as the remedy.
func explain(name string, err error, remedy ...string) Check {
	text := err.Error()
	if e, ok := errors.AsType[*registry.Error](err); ok {
		text = e.Op
		if e.Err != nil {
			text = inner(e.Err).Error()
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		text = fmt.Sprintf("no answer within %s", patience)
	}
	if hint := registry.HintOf(err); hint != "" && len(remedy) == 0 {
		remedy = []string{hint}
	}
	return failed(name, text, remedy...)
}

// inner is what the innermost error of the port says, without its remedy.
func inner(err error) error {
	e, ok := errors.AsType[*registry.Error](err)
	if ok && e.Err != nil {
		return inner(e.Err)
	}
	return err
}
