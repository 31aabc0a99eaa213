package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// metricNames are those of "transship sync --listen", without what Prometheus appends to those of histograms.
var metricNames = []string{
	"transship_bytes_read_total", "transship_events_parked_total", "transship_events_total", "transship_failures_total",
	"transship_images_behind", "transship_requests_total", "transship_sync_cycle_seconds", "transship_sync_deletions_total",
	"transship_sync_lag_seconds", "transship_sync_last_success_timestamp_seconds", "transship_sync_oldest_behind_seconds",
	"transship_throttled_total", "transship_token_age_seconds",
}

var (
	metricIn = regexp.MustCompile(`\btransship_[a-z0-9_]+`)
	suffix   = regexp.MustCompile(`_(bucket|sum|count)$`)
)

func metricsOf(expression string) (out []string) {
	for _, name := range metricIn.FindAllString(expression, -1) {
		out = append(out, suffix.ReplaceAllString(name, ""))
	}
	return out
}

// rules are the alerts, by name, as far as this looks at them.
func rules(t *testing.T) map[string]struct{ Expr, Runbook string } {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Annotations map[string]string
			}
		}
	}
	content, err := os.ReadFile("../deploy/prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	out := map[string]struct{ Expr, Runbook string }{}
	for _, r := range file.Groups[0].Rules {
		out[r.Alert] = struct{ Expr, Runbook string }{r.Expr, r.Annotations["runbook"]}
	}
	return out
}

// Every alert is about metrics that there are, and has its paragraph.
func TestAlerts(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../docs/transition.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range rules(t) {
		for _, m := range metricsOf(r.Expr) {
			if !slices.Contains(metricNames, m) {
				t.Errorf("%s: there is no metric %s", name, m)
			}
		}
		if r.Runbook != "docs/transition.md#"+strings.ToLower(name) || !strings.Contains(string(guide), "\n### "+name+"\n") {
			t.Errorf("%s: nothing in docs/transition.md says what to do (%s)", name, r.Runbook)
		}
	}
}

// The dashboard shows every metric, and no other.
func TestDashboard(t *testing.T) {
	t.Parallel()
	var dashboard struct {
		UID    string
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	content, err := os.ReadFile("../deploy/grafana/transship.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &dashboard); err != nil {
		t.Fatal(err)
	}
	var shown []string
	ids := map[int]bool{}
	for _, p := range dashboard.Panels {
		if ids[p.ID] || len(p.Targets) == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("the panel %q has no place of its own, or shows nothing", p.Title)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			shown = append(shown, metricsOf(target.Expr)...)
		}
	}
	slices.Sort(shown)
	if shown = slices.Compact(shown); !slices.Equal(shown, metricNames) {
		t.Errorf("it shows %v, and there are %v", shown, metricNames)
	}
}

// Prometheus' own tool reads the rules and the dashboard's expressions, and plays what the alerts are for.
func TestPromtool(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not on the PATH (Debian has it in the package prometheus): the alerts were not tried")
	}
	for _, args := range [][]string{{"check", "rules", "alerts.yaml"}, {"test", "rules", "alerts_test.yaml"}} {
		cmd := exec.CommandContext(t.Context(), promtool, args...)
		cmd.Dir = "../deploy/prometheus"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	var groups struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	content, err := os.ReadFile("../deploy/grafana/transship.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &groups); err != nil {
		t.Fatal(err)
	}
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	var recorded []rule
	for _, p := range groups.Panels {
		for _, target := range p.Targets {
			expr := strings.NewReplacer("$__rate_interval", "5m", "$job", ".*").Replace(target.Expr)
			recorded = append(recorded, rule{"panel:" + string(rune('a'+len(recorded))), expr})
		}
	}
	file, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": recorded}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "dashboard.yaml")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", path).CombinedOutput(); err != nil {
		t.Errorf("the dashboard's expressions: %v\n%s", err, out)
	}
}
