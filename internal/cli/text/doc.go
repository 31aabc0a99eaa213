// Package text says documents in words: what people read, and sign, at a terminal.
//
// Vocabulary: Options say how it is read (colours, width, whether long lists are shown whole). Each document has one
// function that writes it. The order is always the same: the answer first, then the numbers, then what is worth a look,
// then where the rest is and what to do next. Lists are cut to what a person reads; the document holds all of it.
//
//	inventory.json, plan.json, results.json, verify.json ─→ words on stdout
package text
