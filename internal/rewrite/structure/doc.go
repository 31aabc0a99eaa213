// Package structure judges what is only right when a text is seen as structure: references in two parts, and names that are
// compared with something elsewhere.
//
// Vocabulary: a node is a value in a text, with the span that it is written in; a mapping is a node with fields. A pair is a
// registry in one field and a repository in another one that is beside it; a chart is a prefix in one field and a chart's
// name in another. A match key is a name that Kustomize looks for in what it builds on. Documents that no parser takes, as
// templates, are read line by line: fields are siblings there only where indentation says so beyond doubt.
//
//	YAML, JSON ─ parser ──┐
//	templates ── lines ───┼─ nodes ─ rules (pairs, charts, Kustomize) ─→ Judgement
//	HCL, --set ─ scanners ┘
//
// Nothing is guessed: what the Oracle does not prove as a whole, or what might be joined in another way, is a Finding.
package structure
