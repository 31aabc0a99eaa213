// Package term knows the terminal: whether there is one, how wide it is, what colours it takes; how sizes, times and
// tables are written so that they can be read; and what moves while a stage runs.
//
// Vocabulary: Streams are the three streams of the process and what they lead to. A Style says things by a few
// meaningful colours, or plainly. A frame is the lines that are redrawn in place while something runs: a Meter's or a
// copy's. Where there is no terminal, frames become a quiet line now and then. Text from outside (names, tags, errors)
// passes through Clean before it is shown, so that nothing in it can move the cursor or forge a line.
//
//	stage ─ Progress ─→ Meter, Copy ─ frame ─→ screen (stderr), above which logs still appear
package term
