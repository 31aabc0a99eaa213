package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/registry/secret"
)

// Action says what happened to an image.
type Action string

// The actions. FACTS D.
const (
	Push        Action = "push"         // it was pushed, or a tag was pointed at it
	Delete      Action = "delete"       // it, or a tag of it, was deleted
	Storage     Action = "storage"      // it was archived, or restored
	Replicate   Action = "replicate"    // ECR copied it here from another registry
	Referrer    Action = "referrer"     // something that describes an image changed
	PullThrough Action = "pull-through" // ECR filled a cache
	Other       Action = "other"        // of ECR, and no change to an image: a scan, a failure
)

// Event is one thing that happened in ECR. It says where to look, not what is there.
type Event struct {
	ID         string // EventBridge's
	Action     Action
	Repository ref.Repository // the zero value for Other
	Tag        string         // empty where the event names none
	Digest     digest.Digest  // empty where the event names none; never both
	At         time.Time      // when EventBridge says that it happened; the zero value where it does not
}

// maxBody bounds a message in bytes: SQS takes 1 MiB at most.
const maxBody = 1 << 20

// message is EventBridge's envelope. FACTS D [D].
type message struct {
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Region     string          `json:"region"`
	Time       string          `json:"time"`
	Detail     json.RawMessage `json:"detail"`
	// Type and Message are of SNS, where a topic stands between EventBridge and the queue.
	Type    string `json:"Type"`
	Message string `json:"Message"`
}

type detail struct {
	Result     string `json:"result"`
	SyncStatus string `json:"sync-status"` // of pull-through caches, in place of result
	Action     string `json:"action-type"`
	Repository string `json:"repository-name"`
	Digest     string `json:"image-digest"`
	Tag        string `json:"image-tag"` // absent where an image was pushed without one [U]
}

// Parse reads the body of a message: an EventBridge event as it is, or in the envelope of an SNS notification. The error
// says in a few words why it is none of ECR's.
func Parse(body string) (Event, error) {
	m, err := open(body)
	if err != nil {
		return Event{}, err
	}
	if m.Type == "Notification" && m.Source == "" {
		if m, err = open(m.Message); err != nil {
			return Event{}, fmt.Errorf("in the notification: %w", err)
		}
	}
	switch {
	case m.Source == "" || m.DetailType == "":
		return Event{}, errors.New("it is JSON, but no EventBridge event: source or detail-type is missing")
	case m.Source != "aws.ecr":
		return Event{}, fmt.Errorf("it is an event of %s, not of aws.ecr", secret.Clean(m.Source))
	}
	return m.event()
}

func open(body string) (message, error) {
	if len(body) > maxBody {
		return message{}, fmt.Errorf("it has more than %d bytes", maxBody)
	}
	var m message
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		return m, fmt.Errorf("it is no JSON object: %s", secret.Clean(err.Error()))
	}
	return m, nil
}

// event makes sense of an event of ECR's.
func (m message) event() (Event, error) {
	out := Event{ID: m.ID, Action: Other}
	out.At, _ = time.Parse(time.RFC3339, m.Time) // it is for measuring only
	var d detail
	if err := json.Unmarshal(m.Detail, &d); err != nil {
		return out, errors.New("its detail is no JSON object")
	}
	action, known := m.action(d)
	switch {
	case !known:
		return out, fmt.Errorf("it is an event of ECR that this Transship does not know: %s, %s", secret.Clean(m.DetailType), secret.Clean(d.Action))
	case action == Other:
		return out, nil
	}
	out.Action = action
	out.Repository = ref.Registry{Account: m.Account, Region: m.Region}.Repository(d.Repository)
	if err := out.Repository.Registry.Validate(); err != nil {
		return out, fmt.Errorf("account or region: %s", secret.Clean(err.Error()))
	}
	if !ref.ValidRepositoryName(d.Repository) {
		return out, fmt.Errorf("%q is no name of a repository", secret.Clean(d.Repository))
	}
	if d.Digest != "" {
		if err := registry.CheckDigest(digest.Digest(d.Digest)); err != nil {
			return out, fmt.Errorf("image-digest: %s", secret.Clean(err.Error()))
		}
		out.Digest = digest.Digest(d.Digest)
	}
	if ref.ValidTag(d.Tag) { // any other is not migrated, and its image is looked at all the same
		out.Tag = d.Tag
	}
	if out.Tag == "" && out.Digest == "" {
		return out, errors.New("it names no image: image-tag and image-digest are missing")
	}
	return out, nil
}

// action is what an event is about, and whether that is known. What failed changed nothing.
func (m message) action(d detail) (Action, bool) {
	failed := strings.HasPrefix(d.Result, "FAIL") || strings.HasPrefix(d.SyncStatus, "FAIL")
	switch m.DetailType {
	case "ECR Image Action":
		switch d.Action {
		case "PUSH", "DELETE", "UPDATE_STORAGE_CLASS":
		default:
			return Other, failed
		}
		if failed {
			return Other, true
		}
		return map[string]Action{"PUSH": Push, "DELETE": Delete, "UPDATE_STORAGE_CLASS": Storage}[d.Action], true
	case "ECR Replication Action":
		return orOther(Replicate, failed), true
	case "ECR Referrer Action":
		return orOther(Referrer, failed || d.Repository == ""), true
	case "ECR Pull Through Cache Action":
		return orOther(PullThrough, failed), true
	case "ECR Image Scan", "ECR Scan Resource Change":
		return Other, true
	}
	return Other, false
}

func orOther(a Action, nothing bool) Action {
	if nothing {
		return Other
	}
	return a
}
