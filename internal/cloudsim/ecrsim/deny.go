package ecrsim

import "net/http"

// Deny refuses the operations, such as BatchGetImage, as IAM does where no policy allows them; a data plane request counts
// as the operation that it stands for. It replaces what was denied before.
func (r *Registry) Deny(operations ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.denied = map[string]bool{}
	for _, op := range operations {
		r.denied[op] = true
	}
}

func (r *Registry) denies(operation string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.denied[operation]
}

// accessDenied is IAM's refusal.
func (r *Registry) accessDenied(operation, caller string) *apiError {
	e := failf("AccessDeniedException", "User: %s is not authorized to perform: ecr:%s on resource: %s because no identity-based policy allows the ecr:%s action",
		caller, operation, r.arn("*"), operation)
	e.status = http.StatusBadRequest
	return e
}
