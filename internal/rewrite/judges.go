package rewrite

import (
	"transship/internal/rewrite/danger"
	"transship/internal/rewrite/mention"
	"transship/internal/rewrite/structure"
)

// Judges are the parts of the rewriter that look at whole files: first what moves references in several parts, then what
// keeps what is dangerous to move.
func Judges() []Judge {
	return []Judge{
		{Judge: structure.Judge},
		{
			Marked: danger.Marked, Hosts: true,
			Judge: func(f mention.File, o mention.Oracle, _ mention.Tree) mention.Judgement { return danger.Judge(f, o) },
		},
	}
}
