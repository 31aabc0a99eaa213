// Command bench measures Transship, its peers and a bare minimum client on the embedded clouds, and judges Transship by
// the bounds that it promises. From the repository's root:
//
//	go -C bench run .          # everything; an hour or more
//	go -C bench run . -quick   # a smoke run of all sections, without peers
//
// Vocabulary: a tool is a way to copy a corpus, such as crane with sixteen processes; a result is what one run of a tool
// took; a round is one run of each tool that is compared, so that the noise of the machine meets all alike; a section
// is one question.
//
//	flags ─ install ─▶ tools ─┐
//	corpus ─ world (clouds) ──┴─ measure ─▶ result ─ section ─▶ report: terminal, RESULTS.md
//
// The clouds live in this process, which is not measured; each tool is a child process. The proxy and TLS of the clouds
// take the same processors as the tools, and take the same from each of them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"transship/bench/measure"
	"transship/bench/report"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == measure.RunnerArgument {
		exit(measure.Runner(os.Stdin, os.Stdout))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, os.Args[1:]))
}

func exit(err error) {
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	default:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	only  []string
	rtts  []time.Duration
	long  bool
	quick bool
	peers bool
	// peerRTTs are the round-trip times at which the peers run: far away the slow ones take half an hour each.
	peerRTTs []time.Duration
	runs     int
	out      string
	// binary is the path of a Transship to measure; "" is the one that the tree builds.
	binary string
}

func parseFlags(args []string) (options, error) {
	var o options
	var only, rtts, peerRTTs string
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	set.StringVar(&only, "only", "", "measure these comma-separated `SECTIONS` anew, and keep what -out has of the others: "+strings.Join(sectionNames(), ", "))
	set.StringVar(&rtts, "rtt", "0,40ms,150ms", "comma-separated round-trip `TIMES`")
	set.BoolVar(&o.long, "long", false, "also run under the default quota: 54,000 writes, 3 minutes and more")
	set.BoolVar(&o.quick, "quick", false, "a smoke run: small corpora, one round, no peers unless -peers is given")
	set.StringVar(&peerRTTs, "peers-rtt", "0,40ms", "the round-trip `TIMES` of -rtt at which the peers run, too")
	set.BoolVar(&o.peers, "peers", true, "install and run the peers")
	set.IntVar(&o.runs, "runs", 3, "how many rounds the short comparisons have")
	set.StringVar(&o.out, "out", "RESULTS.md", "the `FILE` to write, from the bench's folder")
	set.StringVar(&o.binary, "transship", "", "measure the binary at `PATH` instead of building one")
	if err := set.Parse(args); err != nil {
		return o, err
	}
	given := map[string]bool{}
	set.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if o.quick {
		o.peers = o.peers && given["peers"]
		if !given["runs"] {
			o.runs = 1
		}
		if !given["rtt"] {
			rtts = "0,40ms"
		}
		if !given["out"] {
			o.out = ".bin/QUICK.md" // the figures of a smoke run are nobody's results
		}
	}
	o.runs = max(1, o.runs)
	var err error
	if o.rtts, err = parseTimes("-rtt", rtts); err != nil {
		return o, err
	}
	if o.peerRTTs, err = parseTimes("-peers-rtt", peerRTTs); err != nil {
		return o, err
	}
	if only != "" {
		o.only = strings.Split(only, ",")
	}
	return o, nil
}

func parseTimes(flag, text string) ([]time.Duration, error) {
	var out []time.Duration
	for part := range strings.SplitSeq(text, ",") {
		d, err := time.ParseDuration(part)
		if err != nil || d < 0 {
			return nil, fmt.Errorf("%s %q: want times such as 0,40ms", flag, text)
		}
		out = append(out, d)
	}
	return out, nil
}

// bench is one run.
type bench struct {
	options
	tools   binaries
	doc     report.Document
	display io.Writer
}

func run(ctx context.Context, args []string) error {
	o, err := parseFlags(args)
	if err != nil {
		return err
	}
	chosen, err := choose(o.only)
	if err != nil {
		return err
	}
	if err := enterFolder(); err != nil {
		return err
	}
	b := &bench{options: o, display: os.Stdout}
	if b.tools, err = install(ctx, o, os.Stderr); err != nil {
		return err
	}
	b.describe(ctx, args)
	if earlier, err := os.ReadFile(o.out); err == nil && len(o.only) > 0 {
		b.doc.Keep(string(earlier)) // what this run does not measure stays
	}
	for _, s := range chosen {
		section := &report.Section{Title: s.title}
		b.doc.Sections = append(b.doc.Sections, section)
		b.progress("== %s", s.name)
		begin, load := time.Now(), loadAverage()
		if err := s.run(b, ctx, section); err != nil {
			return fmt.Errorf("section %s: %w", s.name, err)
		}
		section.Note("%s It took %s; the machine's load before it: %s.", b.doc.Stamp(), time.Since(begin).Round(time.Second), load)
		section.Text(b.display)
		if err := b.write(); err != nil { // after each section: an interrupted run leaves what it had
			return err
		}
	}
	failing, all := b.doc.Failing()
	fmt.Fprintf(b.display, "\n%d of %d claims hold; %s\n", all-failing, all, o.out)
	return nil
}

// write replaces the file of results.
func (b *bench) write() error {
	f, err := os.Create(b.out)
	if err != nil {
		return err
	}
	return errors.Join(b.doc.Markdown(f), f.Close())
}

// progress writes a line on what is going on.
func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

// section is one question that the bench answers.
type section struct {
	name, title string
	run         func(*bench, context.Context, *report.Section) error
}

func sections() []section {
	return []section{
		{"cold", "1. A cold copy", (*bench).cold},
		{"quota", "2. Under quotas", (*bench).quota},
		{"second", "3. A second run", (*bench).second},
		{"tuning", "4. Without tuning", (*bench).tuning},
		{"large", "5. A large layer", (*bench).large},
		{"scale", "6. A hundred thousand images", (*bench).scale},
	}
}

func sectionNames() []string {
	var out []string
	for _, s := range sections() {
		out = append(out, s.name)
	}
	return out
}

// choose returns the sections of those names, all for none, in their order.
func choose(names []string) ([]section, error) {
	if len(names) == 0 {
		return sections(), nil
	}
	wanted := map[string]bool{}
	for _, n := range names {
		wanted[n] = true
	}
	var out []section
	for _, s := range sections() {
		if wanted[s.name] {
			out = append(out, s)
			delete(wanted, s.name)
		}
	}
	for n := range wanted {
		return nil, fmt.Errorf("there is no section %q: want some of %s", n, strings.Join(sectionNames(), ", "))
	}
	return out, nil
}
