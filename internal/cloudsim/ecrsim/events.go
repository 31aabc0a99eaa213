package ecrsim

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/opencontainers/go-digest"
)

// event is what EventBridge passes on of an action. FACTS D.
type event struct {
	Version    string      `json:"version"`
	ID         string      `json:"id"`
	DetailType string      `json:"detail-type"`
	Source     string      `json:"source"`
	Account    string      `json:"account"`
	Time       string      `json:"time"`
	Region     string      `json:"region"`
	Resources  []string    `json:"resources"`
	Detail     eventDetail `json:"detail"`
}

type eventDetail struct {
	Result       string `json:"result"`
	Repository   string `json:"repository-name"`
	Digest       string `json:"image-digest,omitempty"`
	Action       string `json:"action-type"`
	Tag          string `json:"image-tag,omitempty"`
	StorageClass string `json:"target-storage-class,omitempty"`
}

// SetEvents has sink called with the text of the EventBridge event of every push, deletion and change of storage class from
// now on, before the request is answered. nil ends it. sink must not call the registry.
func (r *Registry) SetEvents(sink func(body string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = sink
}

// emit tells of an action.
func (p *Repository) emit(action string, d digest.Digest, tag, storageClass string) {
	p.registry.mu.RLock()
	sink := p.registry.events
	p.registry.mu.RUnlock()
	if sink != nil {
		sink(p.Event(action, d, tag, storageClass))
	}
}

// Event returns the text of an EventBridge event about the repository: PUSH, DELETE, UPDATE_STORAGE_CLASS or REPLICATE.
func (p *Repository) Event(action string, d digest.Digest, tag, storageClass string) string {
	kind := "ECR Image Action"
	if action == "REPLICATE" {
		kind = "ECR Replication Action"
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	b, err := json.Marshal(event{
		Version: "0", ID: hex.EncodeToString(id), DetailType: kind, Source: "aws.ecr", Account: p.registry.account,
		Time: p.registry.now().UTC().Format(time.RFC3339), Region: p.registry.region.name, Resources: []string{},
		Detail: eventDetail{Result: "SUCCESS", Repository: p.name, Digest: d.String(), Action: action, Tag: tag, StorageClass: storageClass},
	})
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(b)
}

// Push stores a manifest, whose blobs must be there, and points tag, if any, at it, as a push over the data plane does: with
// its event.
func (p *Repository) Push(body []byte, mediaType, tag string) (digest.Digest, error) {
	m, perr := p.put(body, mediaType, tag)
	if perr != nil {
		return m.Digest, failf(perr.exception, "%s", perr.message)
	}
	return m.Digest, nil
}

// Delete takes tag away, and with the last tag the image; without a tag, the image with all its tags. It does so as
// BatchDeleteImage does: with its events.
func (p *Repository) Delete(d digest.Digest, tag string) { p.delete(d, tag) }
