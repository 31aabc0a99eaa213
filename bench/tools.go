package main

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"time"

	"transship/bench/measure"
	"transship/bench/need"
	"transship/bench/world"
)

// tool is one way to copy a corpus.
type tool struct {
	name string
	// prepare writes what the tool needs into the world's folder and says what to run.
	prepare func(*world.World) (measure.Run, error)
}

// peerTimeout ends a peer that does not come to an end by itself.
const peerTimeout = 5 * time.Minute

// transship is what a user types: a plan, which takes the inventory, then a copy, in a workspace of its own.
func (b *bench) transship(name string, verbs []string, flags ...string) tool {
	return tool{name, func(w *world.World) (measure.Run, error) {
		return measure.Run{Lanes: [][]measure.Command{b.transshipLane(w, "workspace", verbs, flags...)}}, nil
	}}
}

func coldVerbs() []string { return []string{"plan", "copy"} }

func (b *bench) transshipLane(w *world.World, workspace string, verbs []string, flags ...string) []measure.Command {
	var lane []measure.Command
	for _, verb := range verbs {
		args := append([]string{b.tools["transship"], verb, "--from", world.Source, "--to", world.Target, "-w", workspace}, flags...)
		lane = append(lane, measure.Command{Args: args, Dir: w.Dir, Env: w.TransshipEnv()})
	}
	return lane
}

// bareMinimum is the yardstick.
func (b *bench) bareMinimum() tool {
	return tool{"bare minimum", func(w *world.World) (measure.Run, error) {
		plan, err := need.Plan(w.Corpus, world.Sides())
		if err != nil {
			return measure.Run{}, err
		}
		text, err := json.Marshal(plan)
		if err != nil {
			return measure.Run{}, err
		}
		file := filepath.Join(w.Dir, "limit.json")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return measure.Run{}, err
		}
		return lanes(1, []measure.Command{{Args: []string{b.tools["limit"], file}, Dir: w.Dir, Env: w.LimitEnv()}}), nil
	}}
}

// peerTools are the peers that are there, each as its users run it.
func (b *bench) peerTools() []tool {
	var out []tool
	add := func(program, name string, prepare func(*world.World) (measure.Run, error)) {
		if b.tools[program] != "" {
			out = append(out, tool{name, prepare})
		}
	}
	add("crane", "crane copy -a -j 8", b.perRepository(1, "crane", "copy", "-a", "-j", "8"))
	add("crane", "crane copy -a -j 8, 16 processes", b.perRepository(16, "crane", "copy", "-a", "-j", "8"))
	add("crane", "script: crane copy per tag, 5 processes", b.perTag(5, "crane", "copy"))
	add("regsync", "regsync, 8 at a time", b.regsync)
	add("regctl", "regctl image copy per tag, 8 processes", b.perTag(8, "regctl", "image", "copy"))
	add("oras", "oras cp -r per tag, 8 processes", b.perTag(8, "oras", "cp", "-r"))
	add("skopeo", "skopeo sync -a --preserve-digests", b.skopeo)
	return out
}

// lanes is a run of a lane for each command, so many at a time.
func lanes(parallel int, commands []measure.Command) measure.Run {
	r := measure.Run{Parallel: parallel, GoOn: true, Timeout: peerTimeout}
	for _, c := range commands {
		r.Lanes = append(r.Lanes, []measure.Command{c})
	}
	return r
}

// perRepository runs one process for each repository that holds something.
func (b *bench) perRepository(parallel int, program string, args ...string) func(*world.World) (measure.Run, error) {
	return func(w *world.World) (measure.Run, error) {
		var commands []measure.Command
		for _, repo := range need.Served(w.Corpus).Repositories {
			commands = append(commands, b.peerCommand(w, program, args, world.Source+"/"+repo.Name, world.Target+"/"+repo.Name))
		}
		return lanes(parallel, commands), nil
	}
}

// perTag runs one process for each tag.
func (b *bench) perTag(parallel int, program string, args ...string) func(*world.World) (measure.Run, error) {
	return func(w *world.World) (measure.Run, error) {
		var commands []measure.Command
		for _, repo := range need.Served(w.Corpus).Repositories {
			for _, img := range repo.Images {
				for _, tag := range img.Tags {
					commands = append(commands, b.peerCommand(w, program, args,
						world.Source+"/"+repo.Name+":"+tag, world.Target+"/"+repo.Name+":"+tag))
				}
			}
		}
		return lanes(parallel, commands), nil
	}
}

func (b *bench) peerCommand(w *world.World, program string, args []string, more ...string) measure.Command {
	line := append(append([]string{b.tools[program]}, args...), more...)
	return measure.Command{Args: line, Dir: w.Dir, Env: w.PeerEnv()}
}

// regsync copies whole repositories by a configuration file. JSON is YAML.
func (b *bench) regsync(w *world.World) (measure.Run, error) {
	type entry map[string]string
	var sync []entry
	for _, repo := range need.Served(w.Corpus).Repositories {
		sync = append(sync, entry{"source": world.Source + "/" + repo.Name, "target": world.Target + "/" + repo.Name, "type": "repository"})
	}
	config, err := json.Marshal(map[string]any{"version": 1, "defaults": map[string]any{"parallel": 8}, "sync": sync})
	if err != nil {
		return measure.Run{}, err
	}
	file := filepath.Join(w.Dir, "regsync.yml")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return measure.Run{}, err
	}
	return lanes(1, []measure.Command{b.peerCommand(w, "regsync", []string{"once", "-c", file})}), nil
}

// skopeo names the target by the last part of the source, below the rest. The flag stands in for the policy file that comes
// with its package and lets everything in as well; digests are preserved since the layers of the corpus are no real
// archives, which skopeo would compress on the way.
func (b *bench) skopeo(w *world.World) (measure.Run, error) {
	var commands []measure.Command
	for _, repo := range need.Served(w.Corpus).Repositories {
		c := b.peerCommand(w, "skopeo", []string{"--insecure-policy", "sync", "-a", "--keep-going", "--preserve-digests", "--src", "docker", "--dest", "docker"},
			world.Source+"/"+repo.Name, path.Dir(world.Target+"/"+repo.Name))
		c.Env = append(c.Env, "REGISTRY_AUTH_FILE="+filepath.Join(w.Dir, "config.json"))
		commands = append(commands, c)
	}
	return lanes(1, commands), nil
}

func number(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
