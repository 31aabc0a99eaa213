package cli

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"transship/internal/cli/term"
)

// The help of every command begins with its purpose, fits a terminal, and has examples, what the command changes, and
// the exit codes.
func TestEveryCommandExplainsItself(t *testing.T) {
	t.Parallel()
	changes := regexp.MustCompile(`(?m)^Changes |nothing (is|was) changed|writes? nothing`)
	for _, cmd := range newRoot(&app{streams: term.NewStreams(nil, nil, nil, func(string) string { return "" })}).Commands() {
		if !cmd.IsAvailableCommand() {
			continue
		}
		var stdout, stderr bytes.Buffer
		if code := Main(t.Context(), []string{"transship", cmd.Name(), "--help"}, strings.NewReader(""), &stdout, &stderr); code != exitDone || stderr.Len() > 0 {
			t.Errorf("%s --help: exit code %d, stderr %q", cmd.Name(), code, stderr.String())
		}
		help := stdout.String()
		if purpose, _, _ := strings.Cut(help, "\n"); len(purpose) < 20 || strings.TrimSuffix(purpose, ".") != cmd.Short {
			t.Errorf("%s: the help begins with %q, its purpose is %q", cmd.Name(), purpose, cmd.Short)
		}
		if !strings.Contains(help, "Examples:\n  transship "+cmd.Name()) || !strings.Contains(help, "\nExit codes: ") || !changes.MatchString(help) {
			t.Errorf("%s: the help lacks examples, what the command changes, or the exit codes:\n%s", cmd.Name(), help)
		}
		for line := range strings.Lines(help) {
			if width := term.Width(strings.TrimSuffix(line, "\n")); width > term.DefaultWidth {
				t.Errorf("%s: a line of the help has %d columns: %s", cmd.Name(), width, line)
			}
		}
	}
}
