package registry

import "iter"

// Pages calls next with the empty token, then with each token that it returned, until there is none. A token that comes
// back ends it with the error repeated: without that, a server's mistake would be an endless run.
func Pages[T any](repeated error, next func(token string) (items []T, following string, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		token := ""
		seen := map[string]bool{}
		for {
			items, following, err := next(token)
			if err != nil {
				yield(zero, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if following == "" {
				return
			}
			if seen[following] {
				yield(zero, repeated)
				return
			}
			seen[following] = true
			token = following
		}
	}
}
