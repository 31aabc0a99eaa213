package ecr

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"github.com/opencontainers/go-digest"

	"transship/internal/registry"
)

func TestErrors(t *testing.T) {
	const denied = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:DescribeImages on resource: arn:aws:ecr:us-east-1:123456789012:repository/team/api because no identity-based policy allows the ecr:DescribeImages action"
	for _, c := range []struct {
		code, message string
		status        int
		class         registry.Class
		hint          string
	}{
		{"RepositoryNotFoundException", "The repository with name 'team/api' does not exist in the registry with id '123456789012'", 400, registry.NoRepository, "its name, account or region is another"},
		{"AccessDeniedException", denied, 400, registry.Denied, "allow ecr:DescribeImages to arn:aws:iam::123456789012:user/ci"},
		{"AccessDeniedException", "no", 400, registry.Denied, "allow ecr:DescribeImages"},
		{"AccessDeniedException", strings.ReplaceAll(denied, "iam::123456789012", "sts::999999999999"), 400, registry.Denied, "the registry belongs to account 123456789012, the credentials to 999999999999"},
		{"AccessDeniedException", denied + " with an explicit deny in a service control policy", 400, registry.Denied, "denies explicitly"},
		{"UnrecognizedClientException", "The security token included in the request is invalid.", 400, registry.Unauthorized, "aws sts get-caller-identity"},
		{"ExpiredTokenException", "The security token included in the request is expired", 400, registry.Unauthorized, "aws sso login"},
		{"InvalidSignatureException", "Signature expired", 400, registry.Unauthorized, "clock"},
		{"ThrottlingException", "Rate exceeded", 400, registry.Throttled, "later"},
		{"TooManyRequestsException", "Too many", 429, registry.Throttled, ""},
		{"ServerException", "These errors are usually caused by a server-side issue.", 500, registry.Unavailable, ""},
		{"LimitExceededException", "limit", 400, registry.Invalid, "Service Quotas"},
		{"InvalidParameterException", "Invalid parameter at 'maxResults'", 400, registry.Invalid, ""},
		{"KmsException", "key is disabled", 400, registry.Denied, "KMS"},
		{"UnknownOperationException", "", 400, registry.Unsupported, ""},
		{"SomethingNewException", "what", 400, registry.Unknown, ""},
	} {
		t.Run(c.code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				reg := scripted(always(c.status, apiError(c.code, c.message)))
				err := lastError(reg.Images(t.Context(), home.Repository("team/api")))
				e, ok := errors.AsType[*registry.Error](err)
				if !ok || e.Class != c.class || e.Side != registry.Source || e.Status != c.status || !strings.Contains(e.Hint, c.hint) {
					t.Fatalf("got %#v\n%v\nwant class %s and a hint with %q", e, err, c.class, c.hint)
				}
				text := err.Error()
				if !strings.HasPrefix(text, "source: list images of 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api: "+c.code) || strings.Contains(text, "\n") {
					t.Errorf("the text is %q", text)
				}
				if _, ok := errors.AsType[smithy.APIError](err); !ok {
					t.Error("the SDK's error is not reachable")
				}
			})
		})
	}
}

var x = digest.FromString("x")

func x509Error() error { return x509.UnknownAuthorityError{} }

// roundTrip is an aws.HTTPClient.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) Do(r *http.Request) (*http.Response, error) { return f(r) }

func TestConnectionErrors(t *testing.T) {
	for _, c := range []struct {
		name  string
		err   error
		class registry.Class
		hint  string
		tries int
	}{
		{"reset", &url.Error{Op: "Post", URL: "https://api.ecr/", Err: &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}}, registry.Unavailable, "", attemptsWithin(retryHorizon)},
		{"cut", io.ErrUnexpectedEOF, registry.Unavailable, "", attemptsWithin(retryHorizon)},
		{"no such host", &url.Error{Op: "Post", Err: &net.DNSError{Err: "no such host", Name: "api.ecr.us-east-9.amazonaws.com", IsNotFound: true}}, registry.Unavailable, "region", 0},
		{"certificate", &url.Error{Op: "Post", Err: x509Error()}, registry.Unknown, "AWS_CA_BUNDLE", 1},
		{"proxy", &url.Error{Op: "Post", Err: &net.OpError{Op: "proxyconnect", Err: errors.New("Proxy Authentication Required")}}, registry.Denied, "HTTPS_PROXY", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				reg := New(awsConfig(roundTrip(func(*http.Request) (*http.Response, error) { tries++; return nil, c.err })), home, Options{})
				err := lastError(reg.Repositories(t.Context()))
				if !registry.IsClass(err, c.class) || !strings.Contains(registry.HintOf(err), c.hint) {
					t.Errorf("got %v of class %s, want %s with %q", err, registry.ClassOf(err), c.class, c.hint)
				}
				if c.tries != 0 && tries != c.tries {
					t.Errorf("%d tries, want %d", tries, c.tries)
				}
			})
		})
	}
}

// TestForeignAnswers has answers that some proxy gives in ECR's place.
func TestForeignAnswers(t *testing.T) {
	for status, class := range map[int]registry.Class{200: registry.Unknown, 404: registry.Unknown, 502: registry.Unavailable} {
		synctest.Test(t, func(t *testing.T) {
			err := lastError(scripted(always(status, "<html>\n<body>"+strings.Repeat("not here ", 1000))).Repositories(t.Context()))
			if !registry.IsClass(err, class) || len(err.Error()) > 1000 || strings.Contains(err.Error(), "\n") {
				t.Errorf("%d: %v", status, err)
			}
		})
	}
}

func TestNoCredentials(t *testing.T) {
	for name, provider := range map[string]aws.CredentialsProvider{
		"none": nil,
		"imds": aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			// What a machine outside AWS sees: in itself, it looks as if it could pass.
			return aws.Credentials{}, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("i/o timeout")}
		})),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				s := always(200, "{}")
				reg := New(aws.Config{HTTPClient: s, Credentials: provider}, home, Options{})
				err := lastError(reg.Repositories(t.Context()))
				if !registry.IsClass(err, registry.Unauthorized) || !strings.Contains(err.Error(), "aws sso login") || !strings.Contains(err.Error(), "no AWS credentials: ") {
					t.Errorf("got %v", err)
				}
				if s.requests() != 0 || time.Since(start) > 0 {
					t.Errorf("%d requests, and %s of waiting", s.requests(), time.Since(start))
				}
			})
		})
	}
}

func TestCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := always(400, apiError("ThrottlingException", "Rate exceeded"))
		reg := scripted(s)
		go func() {
			time.Sleep(5 * time.Second)
			cancel()
		}()
		start := time.Now()
		err := lastError(reg.Repositories(ctx))
		if !errors.Is(err, context.Canceled) || !registry.IsClass(err, registry.Canceled) || time.Since(start) != 5*time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		if err := reg.Authorizer().Authorize(ctx, &http.Request{Header: http.Header{}}); !errors.Is(err, context.Canceled) {
			t.Errorf("authorize: %v", err)
		}
	})
}

func TestRetries(t *testing.T) {
	fail := func(status int, code string, header http.Header, times int) *script {
		return &script{answer: func(n int, _ request) (int, string, http.Header) {
			if n <= times {
				return status, apiError(code, "no"), header
			}
			return 200, `{"repositories":[]}`, nil
		}}
	}
	for _, c := range []struct {
		name        string
		script      *script
		requests    int
		least, most time.Duration
		ok          bool
	}{
		{"throttled twice", fail(400, "ThrottlingException", nil, 2), 3, 300 * time.Millisecond, time.Second, true},
		{"429 without a code that is known", fail(429, "Odd", nil, 1), 2, 1, time.Second, true},
		{"500", fail(500, "ServerException", nil, 8), 9, 10 * time.Second, time.Minute, true},
		{"retry-after", fail(429, "TooManyRequestsException", http.Header{"Retry-After": {"33"}}, 1), 2, 33 * time.Second, 34 * time.Second, true},
		{"retry-after for ever", fail(429, "TooManyRequestsException", http.Header{"Retry-After": {"86400"}}, 1), 2, maxRetryAfter, maxRetryAfter, true},
		{"always", fail(500, "ServerException", nil, 1000), attemptsWithin(retryHorizon), 6 * time.Minute, 14 * time.Minute, false},
		{"a limit that stays", fail(400, "LimitExceededException", nil, 1000), 1, 0, 0, false},
		{"denied", fail(400, "AccessDeniedException", nil, 1000), 1, 0, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				err := lastError(scripted(c.script).Repositories(t.Context()))
				if (err == nil) != c.ok || c.script.requests() != c.requests {
					t.Errorf("%d requests, want %d: %v", c.script.requests(), c.requests, err)
				}
				if took := time.Since(start); took < c.least || took > c.most {
					t.Errorf("it took %s, want %s to %s", took, c.least, c.most)
				}
			})
		})
	}
}

// TestEveryRequestNamesTheAccount sees to it that another account's registry is never taken for the caller's own.
func TestEveryRequestNamesTheAccount(t *testing.T) {
	s := always(200, `{"repositories":[],"imageDetails":[],"images":[],"referrers":[]}`)
	reg, repo := scripted(s), home.Repository("app")
	_ = lastError(reg.Repositories(t.Context()))
	_ = lastError(reg.Images(t.Context(), repo))
	_, _, _ = reg.Manifests(t.Context(), repo, []digest.Digest{x})
	_, _ = reg.Referrers(t.Context(), repo, x)
	if len(s.seen) != 4 {
		t.Fatalf("%d requests, want 4", len(s.seen))
	}
	for _, r := range s.seen {
		if r.in["registryId"] != home.Account {
			t.Errorf("%s was asked with %v", r.action, r.in)
		}
		if !strings.Contains(r.header.Get("Authorization"), "/us-east-1/ecr/") {
			t.Errorf("%s was signed for %q", r.action, r.header.Get("Authorization"))
		}
	}
}

// A throttle that one request meets holds up all of them, those that come later too.
func TestThrottlesAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answer: func(n int, _ request) (int, string, http.Header) {
			if n == 1 {
				return 400, apiError("ThrottlingException", "Rate exceeded"), http.Header{"Retry-After": {"20"}}
			}
			return 200, `{"repositories":[]}`, nil
		}}
		reg, start := scripted(s), time.Now()
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 3 * time.Second)
				if err := lastError(reg.Repositories(t.Context())); err != nil {
					t.Error(err)
				}
				if at := time.Since(start); at < 20*time.Second || at > 22*time.Second {
					t.Errorf("number %d was answered after %s, with a Retry-After of 20 s", i, at)
				}
			})
		}
		wg.Wait()
		if n := s.requests(); n != 6 {
			t.Errorf("%d requests, want 6", n)
		}
	})
}

func TestAttemptsWithin(t *testing.T) {
	for horizon, want := range map[time.Duration]int{time.Second: minAttempts + 1, time.Minute: 10, 10 * time.Minute: 46, time.Hour: 246} {
		if n := attemptsWithin(horizon); n < want-1 || n > want+1 {
			t.Errorf("%d attempts within %s, want some %d", n, horizon, want)
		}
	}
}
