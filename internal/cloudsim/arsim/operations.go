package arsim

import (
	"encoding/json"
	"net/http"
	"time"
)

// operation is a long-running operation; it is done when its time has come.
type operation struct {
	name     string
	readyAt  time.Time
	response func() any // the result, made when it is asked for
	typeName string
}

// begin registers an operation that will be done after the configured delay.
func (c *Cloud) begin(parent, typeName string, response func() any) *operation {
	op := &operation{
		name: parent + "/operations/" + c.nextID(), readyAt: c.now().Add(c.opts.OperationDelay),
		response: response, typeName: typeName,
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.operations[op.name] = op
	return op
}

// render returns the operation as the API shows it now.
func (c *Cloud) renderOperation(op *operation) map[string]any {
	out := map[string]any{
		"name":     op.name,
		"metadata": map[string]any{"@type": "type.googleapis.com/google.devtools.artifactregistry.v1.OperationMetadata"},
	}
	if c.now().Before(op.readyAt) {
		return out
	}
	response := map[string]any{}
	if b, err := json.Marshal(op.response()); err == nil {
		_ = json.Unmarshal(b, &response)
	}
	response["@type"] = "type.googleapis.com/" + op.typeName
	out["done"], out["response"] = true, response
	return out
}

// typeEmpty is the result of an operation that has none.
const typeEmpty = "google.protobuf.Empty"

func empty() any { return struct{}{} }

func (h *APIHandler) getOperation(w http.ResponseWriter, _ *http.Request, rt apiRoute) error {
	name := rt.parent() + "/operations/" + rt.member
	h.cloud.mu.RLock()
	op, ok := h.cloud.operations[name]
	h.cloud.mu.RUnlock()
	if !ok {
		return notFound("operation", name)
	}
	writeJSON(w, http.StatusOK, h.cloud.renderOperation(op))
	return nil
}
