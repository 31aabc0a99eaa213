package main

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"transship/bench/limit"
)

// describe begins the document with all that its figures depend on.
func (b *bench) describe(ctx context.Context, args []string) {
	b.doc.Title = "What a migration takes: results of the bench"
	if b.quick {
		b.doc.Title += " (a smoke run: no figure to rely on)"
	}
	b.doc.Words = strings.TrimSpace(`
The clouds are embedded in the bench's process; each tool is a process of its own, and its wall, its processor time (user
and system) and its peak memory are the kernel's figures for it, summed over its processes except for memory, which is that
of the largest. Clouds, proxy and tools share the processors. A round-trip time is made by delaying the bytes on each
connection by half of it in both directions, the handshake included; a dial takes all of it. Figures of several rounds
are medians, and ratios are medians of the ratios within each round. "×" is the ratio to the bare minimum client of the
same rounds. What arrived is read from the target's own storage.

The formula: for U unique blobs, P further places where a blob is needed and R references to write (a tag, or a digest that
must be written without one), no client can do with fewer than 2·U requests to read, 2·U to upload, P mounts, R PUTs, and
the pages of the two inventories. The bare minimum client knows all that beforehand, keeps ` + strconv.Itoa(limit.DefaultWorkers) + ` requests under way,
sends nothing else, checks no digest and tries nothing twice; a test holds it to the formula. Transship also asks, once, what
guards the images in ECR: three requests a repository and two a registry. The tables count them, the ratio to the formula
does not.`)
	commit := output(ctx, "git", "describe", "--always", "--dirty", "--abbrev=12")
	if b.binary != "" {
		commit = "the binary that -transship named; the bench's own tree is at " + commit
	}
	facts := [][2]string{
		{"command", "`" + strings.Join(append([]string{"go -C bench run ."}, args...), " ") + "`"},
		{"date", time.Now().UTC().Format("2006-01-02 15:04 MST")},
		{"machine", strconv.Itoa(runtime.NumCPU()) + " processors (" + procField("/proc/cpuinfo", "model name") + "), memory " + memory()},
		{"system", runtime.GOOS + "/" + runtime.GOARCH + ", kernel " + strings.TrimSpace(read("/proc/sys/kernel/osrelease"))},
		{"Go", runtime.Version()},
		{"Transship", commit},
		{"seeds", "corpus.Standard 2, corpus.Flat 3, corpus.Demo 1, the large layer 7"},
	}
	for _, p := range peers() {
		if b.tools[p.name] != "" {
			facts = append(facts, [2]string{p.name, p.version + " (" + p.module + ")"})
		}
	}
	if path := b.tools["skopeo"]; path != "" {
		facts = append(facts, [2]string{"skopeo", output(ctx, path, "--version") + ", as found on the PATH"})
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.GoVersion != runtime.Version() {
		facts = append(facts, [2]string{"built with", info.GoVersion})
	}
	b.doc.Facts = facts
}

func output(ctx context.Context, name string, args ...string) string {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// read returns a file's content, "" where there is none: not every system has a /proc.
func read(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(text)
}

// loadAverage says how busy the machine is with all that it does: figures beside a load are not to be relied on.
func loadAverage() string {
	fields := strings.Fields(read("/proc/loadavg"))
	if len(fields) < 3 {
		return "unknown"
	}
	return strings.Join(fields[:3], ", ")
}

// procField returns the first value of a field of a file of "name : value" lines.
func procField(path, name string) string {
	for line := range strings.Lines(read(path)) {
		if field, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(field) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func memory() string {
	kib, err := strconv.ParseInt(strings.TrimSuffix(procField("/proc/meminfo", "MemTotal"), " kB"), 10, 64)
	if err != nil {
		return "unknown"
	}
	return strconv.FormatInt(kib>>20, 10) + " GiB"
}
