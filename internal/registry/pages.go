package registry

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
)

// Bounds of a listing, far beyond what the clouds hold: without them a server's mistake, or malice, would be an endless
// run that fills the memory.
const (
	maxPages      = 20_000   // at 1,000 items a page, 20 million
	maxEmptyPages = 1_000    // in a row; ECR answers some empty ones where a filter leaves nothing
	maxToken      = 64 << 10 // bytes of a page's token; those of the clouds have some 2 KiB
)

// Pages calls next with the empty token, then with each token that it returned, until there is none. A token that comes
// back ends it with the error repeated; so do other errors a listing whose tokens are always new but that does not end.
func Pages[T any](repeated error, next func(token string) (items []T, following string, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		token := ""
		// The digests of the tokens: theirs alone are of a size that the other side does not choose.
		seen := map[[sha256.Size]byte]bool{}
		for page, empty := 1, 0; ; page++ {
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
			if empty++; len(items) > 0 {
				empty = 0
			}
			sum := sha256.Sum256([]byte(following))
			if err := endless(page, empty, following); err != nil {
				yield(zero, err)
				return
			}
			if seen[sum] {
				yield(zero, repeated)
				return
			}
			seen[sum] = true
			token = following
		}
	}
}

// endless says why a listing is given up before its end, or nothing.
func endless(page, empty int, following string) error {
	switch {
	case page >= maxPages:
		return fmt.Errorf("the listing does not end: there are more than %d pages", maxPages)
	case empty >= maxEmptyPages:
		return fmt.Errorf("the listing does not end: %d pages in a row were empty", maxEmptyPages)
	case len(following) > maxToken:
		return errors.New("the listing's next page has a token that is too long")
	}
	return nil
}
