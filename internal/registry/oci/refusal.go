package oci

import "transship/internal/registry"

// ClassifyRefusal says what kind of trouble a registry's refusal is, from its status and the beginning of its body, and
// what the registry said, in one line.
func ClassifyRefusal(status int, body []byte) (registry.Class, string) {
	a := &answer{status: status}
	a.code, a.message = parseRefusal(body)
	return classify(a.status, a.code, a.message), a.Error()
}
