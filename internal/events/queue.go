package events

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	api "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"transship/internal/ref"
)

// batch is how many messages SQS gives or takes in one request at most.
const batch = 10

// DefaultVisibility is for how long a message that was received is hidden from others. Whoever needs longer extends it.
const DefaultVisibility = time.Minute

// maxWait is the longest poll that SQS allows.
const maxWait = 20 * time.Second

// Options say how Open reaches a queue.
type Options struct {
	// Address is the queue's.
	Address Address
	// Sources are the registries that events may be about.
	Sources []ref.Registry
	// Credentials gives the present AWS credentials; it is asked for each request.
	Credentials func(context.Context) (keyID, secretKey, sessionToken string, err error)
	// HTTPClient carries the requests; nil means that of Config.
	HTTPClient aws.HTTPClient
	// Config says what AWS_ENDPOINT_URL_SQS, AWS_CA_BUNDLE and the profile do: an endpoint in place of the host of the
	// address, and certificates. The zero value has none of them.
	Config aws.Config
	// Observe is told of each attempt of a request, and its HTTP status, 0 where there was no answer. May be nil.
	Observe func(host string, status int)
	// Visibility is for how long a message is hidden once it was received; 0 means DefaultVisibility.
	Visibility time.Duration
	// Logger is told about requests and parked messages; nil means silence.
	Logger *slog.Logger
}

// Queue is one queue. It is safe for concurrent use.
type Queue struct {
	options Options
	api     *api.Client
}

// Message is one message of the queue.
type Message struct {
	ID       string
	Body     string
	Event    Event
	Err      error // why it cannot be understood, else nil
	Receives int   // how often it was received, as SQS counts
	receipt  string
}

// Open returns the queue. It makes no request.
func Open(o Options) (*Queue, error) {
	if err := o.Address.Of(o.Sources); err != nil {
		return nil, err
	}
	u, err := url.Parse(o.Address.URL)
	if err != nil {
		return nil, err
	}
	if o.Visibility == 0 {
		o.Visibility = DefaultVisibility
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.HTTPClient == nil {
		own, ok := o.Config.HTTPClient.(*awshttp.BuildableClient)
		if !ok {
			own = awshttp.NewBuildableClient()
		}
		o.HTTPClient = own.WithTimeout(maxWait + 40*time.Second)
	}
	endpoint := api.NewFromConfig(o.Config).Options().BaseEndpoint
	if endpoint == nil {
		endpoint = aws.String("https://" + u.Host)
	}
	return &Queue{options: o, api: api.New(api.Options{
		Region: o.Address.Region, BaseEndpoint: endpoint, HTTPClient: observed{o.HTTPClient, o.Logger, o.Observe},
		Credentials: aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
			id, key, token, err := o.Credentials(ctx)
			return aws.Credentials{AccessKeyID: id, SecretAccessKey: key, SessionToken: token}, err
		}),
	})}, nil
}

// observed logs each attempt, and tells of it.
type observed struct {
	next aws.HTTPClient
	log  *slog.Logger
	tell func(host string, status int)
}

// Do sends one request.
func (o observed) Do(req *http.Request) (*http.Response, error) {
	start := time.Now()
	res, err := o.next.Do(req)
	status := 0
	if err == nil {
		status = res.StatusCode
	}
	_, operation, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	o.log.DebugContext(req.Context(), "request", "operation", operation, "host", req.URL.Host, "status", status, "duration", time.Since(start))
	if o.tell != nil {
		o.tell(req.URL.Host, status)
	}
	return res, err
}

// Address is where the queue is.
func (q *Queue) Address() Address { return q.options.Address }

// Visibility is for how long a message is hidden once it was received.
func (q *Queue) Visibility() time.Duration { return q.options.Visibility }

// Look asks whether the queue is there and may be read, and whether it has a dead-letter queue: 1 request.
func (q *Queue) Look(ctx context.Context) (deadLetters bool, err error) {
	out, err := q.api.GetQueueAttributes(ctx, &api.GetQueueAttributesInput{
		QueueUrl: &q.options.Address.URL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameRedrivePolicy},
	})
	if err != nil {
		return false, q.fail(ctx, "look at", "GetQueueAttributes", err)
	}
	return out.Attributes[string(types.QueueAttributeNameRedrivePolicy)] != "", nil
}

// Receive waits up to wait, at most 20 seconds, for messages, and returns at most 10. They are hidden from others for
// Visibility: see Extend and Delete.
func (q *Queue) Receive(ctx context.Context, wait time.Duration) ([]Message, error) {
	out, err := q.api.ReceiveMessage(ctx, &api.ReceiveMessageInput{
		QueueUrl: &q.options.Address.URL, MaxNumberOfMessages: batch, WaitTimeSeconds: int32(min(wait, maxWait) / time.Second),
		VisibilityTimeout:           int32(q.options.Visibility / time.Second),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameApproximateReceiveCount},
	})
	if err != nil {
		return nil, q.fail(ctx, "receive messages from", "ReceiveMessage", err)
	}
	messages := make([]Message, 0, len(out.Messages))
	for _, in := range out.Messages {
		m := Message{ID: aws.ToString(in.MessageId), Body: aws.ToString(in.Body), receipt: aws.ToString(in.ReceiptHandle)}
		m.Receives, _ = strconv.Atoi(in.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
		if m.Event, m.Err = Parse(m.Body); m.Err == nil && m.Event.Action != Other && !slices.Contains(q.options.Sources, m.Event.Repository.Registry) {
			m.Err = &ForeignError{Registry: m.Event.Repository.Registry}
		}
		messages = append(messages, m)
	}
	return messages, nil
}

// Delete deletes messages: a request for 10. What could not be deleted comes again, which does no harm.
func (q *Queue) Delete(ctx context.Context, messages []Message) error {
	for some := range slices.Chunk(messages, batch) {
		entries := make([]types.DeleteMessageBatchRequestEntry, len(some))
		for n, m := range some {
			entries[n] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(n)), ReceiptHandle: aws.String(m.receipt)}
		}
		out, err := q.api.DeleteMessageBatch(ctx, &api.DeleteMessageBatchInput{QueueUrl: &q.options.Address.URL, Entries: entries})
		if err != nil {
			return q.fail(ctx, "delete messages of", "DeleteMessage", err)
		}
		if len(out.Failed) > 0 {
			q.options.Logger.Info("messages could not be deleted; they come again", "queue", q.options.Address.Name, "messages", len(out.Failed),
				"code", aws.ToString(out.Failed[0].Code))
		}
	}
	return nil
}

// Extend hides messages for d from now: a request for 10. Those that are no longer ours are passed over.
func (q *Queue) Extend(ctx context.Context, messages []Message, d time.Duration) error {
	for some := range slices.Chunk(messages, batch) {
		entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(some))
		for n, m := range some {
			entries[n] = types.ChangeMessageVisibilityBatchRequestEntry{
				Id: aws.String(strconv.Itoa(n)), ReceiptHandle: aws.String(m.receipt), VisibilityTimeout: int32(d / time.Second),
			}
		}
		if _, err := q.api.ChangeMessageVisibilityBatch(ctx, &api.ChangeMessageVisibilityBatchInput{QueueUrl: &q.options.Address.URL, Entries: entries}); err != nil {
			return q.fail(ctx, "extend messages of", "ChangeMessageVisibility", err)
		}
	}
	return nil
}
