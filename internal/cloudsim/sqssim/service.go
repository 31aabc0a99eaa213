package sqssim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Service is SQS in one region. It is an http.Handler, and safe for concurrent use.
type Service struct {
	region string
	now    func() time.Time

	mu     sync.Mutex
	queues map[string]*Queue // by ACCOUNT/NAME
	denied map[string]bool   // operations
}

// New returns SQS in region, by the given clock; nil is the real one.
func New(region string, now func() time.Time) *Service {
	if now == nil {
		now = time.Now
	}
	return &Service{region: region, now: now, queues: map[string]*Queue{}, denied: map[string]bool{}}
}

// Host is the service's name.
func (s *Service) Host() string { return "sqs." + s.region + ".amazonaws.com" }

// CreateQueue makes a queue of account, 12 digits, or returns the one that has that name, its options unchanged.
func (s *Service) CreateQueue(account, name string, o QueueOptions) *Queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := account + "/" + name
	if q := s.queues[key]; q != nil {
		return q
	}
	if o.Visibility == 0 {
		o.Visibility = 30 * time.Second
	}
	q := &Queue{service: s, account: account, name: name, options: o, arrived: make(chan struct{})}
	s.queues[key] = q
	return q
}

// Deny has an operation refused from now on.
func (s *Service) Deny(operation string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[operation] = true
}

func (s *Service) denies(operation string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.denied[operation]
}

// apiError is an error as AWS JSON 1.0 sends it.
type apiError struct{ code, message string }

func (e *apiError) Error() string { return e.code + ": " + e.message }

// input is what the operations take, together.
type input struct {
	QueueURL          string  `json:"QueueUrl"`
	QueueName         string  `json:"QueueName"`
	Owner             string  `json:"QueueOwnerAWSAccountId"`
	MessageBody       string  `json:"MessageBody"`
	Most              *int    `json:"MaxNumberOfMessages"`
	WaitTimeSeconds   int     `json:"WaitTimeSeconds"`
	VisibilityTimeout *int    `json:"VisibilityTimeout"`
	ReceiptHandle     string  `json:"ReceiptHandle"`
	Entries           []entry `json:"Entries"`
}

type entry struct {
	ID                string `json:"Id"`
	ReceiptHandle     string `json:"ReceiptHandle"`
	VisibilityTimeout int    `json:"VisibilityTimeout"`
}

const targetPrefix = "AmazonSQS."

// Kind says sqs.OPERATION.
func (s *Service) Kind(r *http.Request) string {
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	if !ok {
		return "sqs.unknown"
	}
	return "sqs." + name
}

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, err := s.answer(r)
	status := http.StatusOK
	if err != nil {
		e, ok := errors.AsType[*apiError](err)
		if !ok {
			e = &apiError{"InternalFailure", err.Error()}
		}
		status, out = http.StatusBadRequest, map[string]string{"__type": "com.amazonaws.sqs#" + e.code, "message": e.message}
	}
	body, err := json.Marshal(out)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amzn-Requestid", "00000000-0000-4000-8000-000000000000")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func (s *Service) answer(r *http.Request) (any, error) {
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	if scope := "/" + s.region + "/sqs/aws4_request"; !strings.Contains(r.Header.Get("Authorization"), scope) {
		return nil, &apiError{"InvalidSignatureException", "Credential should be scoped to a valid region."}
	}
	var in input
	b, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, &apiError{"SerializationException", err.Error()}
	}
	if s.denies(operation) {
		return nil, &apiError{"AccessDeniedException", "User: arn:aws:iam::123456789012:user/migrator is not authorized to perform: sqs:" +
			strings.ToLower(operation) + " on resource: " + in.QueueURL + " because no identity-based policy allows the sqs:" + operation + " action"}
	}
	q, err := s.queue(in)
	if err != nil {
		return nil, err
	}
	return q.do(r.Context(), operation, in)
}

// queue finds what a request names.
func (s *Service) queue(in input) (*Queue, error) {
	key := in.Owner + "/" + in.QueueName
	if in.QueueURL != "" {
		u, err := url.Parse(in.QueueURL)
		if err != nil {
			return nil, &apiError{"InvalidAddress", err.Error()}
		}
		key = strings.TrimPrefix(u.Path, "/")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.queues[key]; q != nil {
		return q, nil
	}
	return nil, &apiError{"QueueDoesNotExist", "The specified queue does not exist."}
}

func (q *Queue) do(ctx context.Context, operation string, in input) (any, error) {
	switch operation {
	case "GetQueueUrl":
		return map[string]string{"QueueUrl": q.URL()}, nil
	case "GetQueueAttributes":
		return map[string]any{"Attributes": q.attributes()}, nil
	case "SendMessage":
		q.Send(in.MessageBody)
		return map[string]string{"MessageId": q.name, "MD5OfMessageBody": checksum(in.MessageBody)}, nil
	case "ReceiveMessage":
		return q.poll(ctx, in)
	case "DeleteMessage":
		q.remove(in.ReceiptHandle)
		return struct{}{}, nil
	case "ChangeMessageVisibility":
		if in.VisibilityTimeout == nil || !q.hide(in.ReceiptHandle, time.Duration(*in.VisibilityTimeout)*time.Second) {
			return nil, &apiError{"MessageNotInflight", "The specified message isn't in flight."}
		}
		return struct{}{}, nil
	case "DeleteMessageBatch", "ChangeMessageVisibilityBatch":
		return q.batch(operation, in)
	}
	return nil, &apiError{"UnsupportedOperation", fmt.Sprintf("the embedded SQS does not know the operation %q", operation)}
}

// attributes are those that there are, whichever were asked for.
func (q *Queue) attributes() map[string]string {
	visible, hidden := q.counts()
	out := map[string]string{
		"QueueArn": q.ARN(), "VisibilityTimeout": strconv.Itoa(int(q.options.Visibility.Seconds())),
		"ApproximateNumberOfMessages": strconv.Itoa(visible), "ApproximateNumberOfMessagesNotVisible": strconv.Itoa(hidden),
	}
	if d := q.options.DeadLetters; d != nil {
		out["RedrivePolicy"] = fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, d.ARN(), q.options.MaxReceives)
	}
	return out
}

// batch does one thing to up to ten messages.
func (q *Queue) batch(operation string, in input) (any, error) {
	if len(in.Entries) == 0 || len(in.Entries) > 10 {
		return nil, &apiError{"TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent " + strconv.Itoa(len(in.Entries)) + "."}
	}
	done, failed := []map[string]string{}, []map[string]any{}
	for _, e := range in.Entries {
		ok := true
		if operation == "DeleteMessageBatch" {
			q.remove(e.ReceiptHandle)
		} else {
			ok = q.hide(e.ReceiptHandle, time.Duration(e.VisibilityTimeout)*time.Second)
		}
		if ok {
			done = append(done, map[string]string{"Id": e.ID})
		} else {
			failed = append(failed, map[string]any{"Id": e.ID, "SenderFault": true, "Code": "MessageNotInflight", "Message": "it is not in flight"})
		}
	}
	return map[string]any{"Successful": done, "Failed": failed}, nil
}

type received struct {
	ID         string            `json:"MessageId"`
	Receipt    string            `json:"ReceiptHandle"`
	Body       string            `json:"Body"`
	MD5OfBody  string            `json:"MD5OfBody"`
	Attributes map[string]string `json:"Attributes"`
}

// poll waits for messages as long as the request says, at most 20 seconds.
func (q *Queue) poll(ctx context.Context, in input) (any, error) {
	most := 1
	if in.Most != nil {
		most = *in.Most
	}
	if most < 1 || most > 10 || in.WaitTimeSeconds < 0 || in.WaitTimeSeconds > 20 {
		return nil, &apiError{"InvalidParameterValue", "MaxNumberOfMessages is 1 to 10, and WaitTimeSeconds 0 to 20"}
	}
	visibility := q.options.Visibility
	if in.VisibilityTimeout != nil {
		visibility = time.Duration(*in.VisibilityTimeout) * time.Second
	}
	deadline := time.NewTimer(time.Duration(in.WaitTimeSeconds) * time.Second)
	defer deadline.Stop()
	for {
		taken, arrived, next := q.receive(most, visibility)
		if len(taken) > 0 || in.WaitTimeSeconds == 0 {
			return map[string]any{"Messages": render(taken)}, nil
		}
		var shows <-chan time.Time
		if !next.IsZero() {
			t := time.NewTimer(max(next.Sub(q.service.now()), time.Millisecond))
			defer t.Stop()
			shows = t.C
		}
		select {
		case <-arrived:
		case <-shows:
		case <-deadline.C:
			return map[string]any{}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func render(messages []message) []received {
	out := make([]received, 0, len(messages))
	for _, m := range messages {
		out = append(out, received{ID: m.id, Receipt: m.receipt, Body: m.body, MD5OfBody: checksum(m.body), Attributes: map[string]string{
			"ApproximateReceiveCount": strconv.Itoa(m.receives), "SentTimestamp": strconv.FormatInt(m.sent.UnixMilli(), 10),
		}})
	}
	return out
}
