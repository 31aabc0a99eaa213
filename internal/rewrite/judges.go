package rewrite

// Judges are the parts of the rewriter that look at whole files: first what moves references in several parts, then what
// keeps what is dangerous to move.
func Judges() []Judge {
	return nil
}
