package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestExitCode(t *testing.T) {
	t.Parallel()
	plain := errors.New("the disk is full")
	for _, test := range []struct {
		name string
		err  error
		want int
	}{
		{"nothing", nil, 0},
		{"any error", plain, 1},
		{"stopped", context.Canceled, 1},
		{"usage", usagef("--to: %w", plain), 2},
		{"usage, wrapped", fmt.Errorf("plan: %w", usagef("no source")), 2},
		{"incomplete", &incompleteError{"1 missing"}, 3},
		{"incomplete, wrapped", fmt.Errorf("migrate: %w", &incompleteError{"1 missing"}), 3},
		{"incomplete beside another", errors.Join(plain, &incompleteError{"1 missing"}), 3},
	} {
		if got := exitCode(test.err); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
	if err := usagef("--to: %w", plain); !errors.Is(err, plain) || err.Error() != "--to: the disk is full" {
		t.Errorf("a usage error hides its cause: %v", err)
	}
}

// Main answers on the streams that it was given, with the exit code of the error.
func TestMainStreams(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, test := range []struct {
		args           string
		want           int
		stdout, stderr string // what each holds; nothing at all where empty
	}{
		{"", 0, "", ""}, // a program without even its name
		{"transship", 0, "transship demo", ""},
		{"transship --version", 0, "transship ", ""},
		{"transship plan --help", 0, "Changes nothing on either side.", ""},
		{"transship sail", 2, "", `there is no command "sail"`},
		{"transship plan", 2, "", "no source: pass --from"},
		{"transship plan --config missing.yaml", 2, "", "missing.yaml"},
	} {
		var stdout, stderr bytes.Buffer
		got := Main(t.Context(), strings.Fields(test.args), strings.NewReader(""), &stdout, &stderr)
		if got != test.want {
			t.Errorf("%q: exit code %d, want %d", test.args, got, test.want)
		}
		if test.args == "" {
			continue
		}
		for _, stream := range []struct{ name, got, want string }{{"stdout", stdout.String(), test.stdout}, {"stderr", stderr.String(), test.stderr}} {
			if !strings.Contains(stream.got, stream.want) || stream.want == "" && stream.got != "" {
				t.Errorf("%q: %s is %q, want %q in it", test.args, stream.name, stream.got, stream.want)
			}
		}
	}
}

// A stopped run is told in one line, and is a failure.
func TestMainStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	got := Main(ctx, []string{"transship", "demo", "-w", t.TempDir()}, strings.NewReader(""), &stdout, &stderr)
	if got != exitFailed || !strings.Contains(stderr.String(), "transship: stopped: run the same command again to go on\n") {
		t.Errorf("exit code %d, stderr %q", got, stderr.String())
	}
}
