// Package danger says what of a file must be kept as it is and what a person must decide about.
//
// Vocabulary: a Marker is a word without which a file has nothing to do with ECR. A stretch is a line that has one, together
// with the lines that a sign at the end of a line joins to it (of a line that is too long to look at, the part around the
// marker). A rule is a row of a table: which stretches it fits, which kind of finding they are, whether what they name is
// kept, why, and what to do. A section is the row of the catalogue that a rule is for.
//
//	text ─ markers ─→ stretches ─ rules ─→ the most dangerous one that fits ─→ Findings, Kept spans
//	path, text ─ class ─→ a test or a generated file: kept as a whole, and nothing else is looked at
//
// What is decided here:
//
//   - One finding for one stretch. The most dangerous kind wins, with two exceptions. What a command does says more than how
//     its host is spelled: a login or a push through a variable host is a Login or a Producer, not a VariableHost. And
//     commands do not hide each other: a line that logs in and pushes has two findings.
//   - Neighbouring lines that one rule fits for one reason (the actions of an IAM policy) are one place.
//   - In documents for people, and in comments, one finding a kind and file: it says how many more there are.
//   - A file that pushes a repository keeps every reference to that repository: what a job has pushed a line above is not
//     at the target yet.
//   - A place that only names other registries than those of the migration is nobody's business here.
//   - A file that is a test, or that a program wrote, has one finding at the most, whatever is in it.
//   - In the files of a chart, a manifest or a script alike, a comment is judged as what it would be without its sign: it may
//     be an instruction.
//   - A Kept has a Finding where a plain reference is in it, with File and Line, and then nothing of the same place is in
//     Findings. A Kept without a Kind has a reference that a finding elsewhere tells of, or none.
package danger
