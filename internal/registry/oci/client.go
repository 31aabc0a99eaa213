package oci

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"transship/internal/registry"
	"transship/internal/registry/governor"
)

// Options say what a Client is made of.
type Options struct {
	// Side is where Host is, for errors.
	Side registry.Side
	// Host is the registry's host name, with a port only where it is not 443.
	Host string
	// Transport carries the bytes of blobs; see NewTransport, which is used with its defaults if this is nil. It must
	// neither follow redirects nor add credentials.
	Transport http.RoundTripper
	// Messages carries all other requests, under the same conditions; see NewMessageTransport. Nil means Transport.
	Messages http.RoundTripper
	// Auth gives the credentials; nil sends none.
	Auth Authorizer
	// Governor is the host's, shared with all who use the host; nil makes one with its defaults.
	Governor *governor.Governor
	// Elsewhere governs all the other hosts that reads lead to, such as the S3 that ECR redirects to, together; nil
	// makes one with its defaults.
	Elsewhere *governor.Governor
	// Logger gets one debug line a request; nil logs nothing.
	Logger *slog.Logger
	// Hint gives what to do about an error of that class on that name, or nothing; it may be nil.
	Hint func(name string, class registry.Class) string
	// UserAgent is sent with each request; empty means transship.
	UserAgent string

	// StallTimeout is how long a body may make no progress before its connection is given up; 0 means 30 s.
	StallTimeout time.Duration
	// AnswerTimeout is how long a request may wait for the head of its answer; 0 means 60 s.
	AnswerTimeout time.Duration
	// CommitTimeout is the same after the last byte of a blob was sent, when the registry puts it together; 0 means
	// 10 minutes.
	CommitTimeout time.Duration
	// SmallBlob is the size in bytes up to which a blob is held in memory while it is pushed, and pushed with a single
	// request where the host can do that; 0 means 64 KiB, negative never.
	SmallBlob int64
	// LargeBlob is the size in bytes from which a blob is read in parallel ranges; 0 means 32 MiB, negative never. The
	// memory for that is 48 MiB a Client at most, whatever is read.
	LargeBlob int64
}

// SmallBlob is the default of Options.SmallBlob.
const SmallBlob = 64 << 10

// Client is the data plane of one host. Make it with New; it is safe for concurrent use.
type Client struct {
	opts     Options
	gov      *governor.Governor
	log      *slog.Logger
	single   singlePost
	pool     pool        // of all large blobs that are read
	segment  int64       // see segmentSize
	noRanges atomic.Bool // a server sent the whole blob to who asked for a part
	reached  atomic.Bool // the host answered at least once: it exists and is reachable
	distant  atomic.Bool // the governors were told how far away the host is
	bytes    whereabouts
}

// Opener opens a blob's bytes from their beginning. Its reader's Read must end when the context does.
type Opener func(ctx context.Context) (io.ReadCloser, error)

// New returns a Client for o.Host.
func New(o Options) *Client {
	o.Host = strings.ToLower(o.Host)
	if o.Transport == nil {
		o.Transport = NewTransport(nil)
	}
	if o.Messages == nil {
		o.Messages = o.Transport
	}
	if o.Governor == nil {
		o.Governor = governor.New(governor.Options{})
	}
	if o.Elsewhere == nil {
		o.Elsewhere = governor.New(governor.Options{})
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.UserAgent = cmp.Or(o.UserAgent, "transship")
	o.StallTimeout = cmp.Or(o.StallTimeout, 30*time.Second)
	o.AnswerTimeout = cmp.Or(o.AnswerTimeout, time.Minute)
	o.CommitTimeout = cmp.Or(o.CommitTimeout, 10*time.Minute)
	o.SmallBlob = cmp.Or(o.SmallBlob, SmallBlob)
	o.LargeBlob = cmp.Or(o.LargeBlob, largeBlob)
	return &Client{bytes: whereabouts{known: make(chan struct{})},
		opts: o, gov: o.Governor, log: o.Logger.With("side", string(o.Side)),
		pool: pool{size: chunkSize, total: poolChunks}, segment: segmentSize,
	}
}

// Host returns the host that the Client talks to.
func (c *Client) Host() string { return c.opts.Host }

// Governor returns the host's governor, for its numbers.
func (c *Client) Governor() *governor.Governor { return c.gov }

// Elsewhere returns the governor of the hosts that redirects lead to, for its numbers.
func (c *Client) Elsewhere() *governor.Governor { return c.opts.Elsewhere }

// task is one operation on one object: what errors are about.
type task struct {
	op     string // such as "read blob"
	name   string
	object string // such as HOST/NAME@DIGEST
	url    *url.URL
}

// task makes the task op at /v2/NAME/KIND/LAST.
func (c *Client) task(op, name, kind, last string) task {
	separator := ":"
	if strings.Contains(last, ":") {
		separator = "@"
	}
	return task{
		op:     op,
		name:   name,
		object: c.opts.Host + "/" + name + separator + last,
		url:    &url.URL{Scheme: "https", Host: c.opts.Host, Path: "/v2/" + name + "/" + kind + "/" + last},
	}
}

// do tries t until it succeeds or trying again is no use. corrupt is how often bytes that are wrong are asked for again:
// one flipped on the way is a passing fault, but the same answer twice is the other side's.
func (c *Client) do(ctx context.Context, t task, corrupt int, try func(context.Context) error) error {
	a := adviser{client: c, corrupt: corrupt}
	err := c.gov.Do(ctx, a.advise, try)
	if err != nil && ctx.Err() != nil {
		return c.canceled(ctx, t)
	}
	return err
}

// adviser decides about one operation's tries.
type adviser struct {
	client  *Client
	corrupt int  // how many more corrupt answers are borne
	renewed bool // the last try failed for its credential, and a fresh one was promised
	dials   int  // failures to connect to a host that never answered
}

// maxFirstDials is how often a host is dialled that never answered: it may not exist, or a firewall may be in the way,
// and nobody wants to wait for minutes to learn that.
const maxFirstDials = 4

func (a *adviser) advise(err error) governor.Advice {
	if s, ok := errors.AsType[*sourceError](err); ok {
		return a.adviseSource(s)
	}
	if isRenewed(err) {
		if a.renewed {
			return governor.Stop
		}
		a.renewed = true
		return governor.AgainNow
	}
	a.renewed = false
	switch registry.ClassOf(err) {
	case registry.Throttled:
		return governor.AgainNow
	case registry.Unavailable:
		if isDial(err) && !a.client.reached.Load() {
			if a.dials++; a.dials >= maxFirstDials {
				return governor.Stop
			}
		}
		return governor.Again
	case registry.Corrupt:
		if a.corrupt > 0 {
			a.corrupt--
			return governor.Again
		}
	}
	return governor.Stop
}

// adviseSource decides about a reader's error: a corrupt one is worth another reader; for anything else, the reader had
// patience of its own.
func (a *adviser) adviseSource(err *sourceError) governor.Advice {
	if registry.IsClass(err.err, registry.Corrupt) && a.corrupt > 0 {
		a.corrupt--
		return governor.Again
	}
	return governor.Stop
}
