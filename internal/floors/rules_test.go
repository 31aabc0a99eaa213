package floors

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// pkg is what the rules look at of one package, as `go list -json` prints it.
type pkg struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// house is the table of the floors and the rules that go with it. Paths of
// rooms are relative to the internal folder.
type house struct {
	module   string
	floors   map[string]int      // room → floor
	aside    []string            // rooms beside the floors
	aliens   []string            // rooms of the embedded clouds: they import nothing of the product
	hosts    []string            // rooms that may import the embedded clouds
	pure     []string            // rooms without I/O
	impure   []string            // packages that a pure room does not import
	sdks     []string            // path prefixes of the cloud SDKs
	adapters []string            // rooms that may import a cloud SDK
	strict   map[string][]string // room → product packages that it does not reach
	badNames []string            // package names that say nothing
}

// transship is the table of the design.
func transship() house {
	return house{
		module: "transship",
		floors: map[string]int{
			"ref": 0, "document/lines": 0, "markdown": 0,
			"references": 1, "registry": 1, "registry/governor": 1, "registry/secret": 1, "document": 1, "document/journal": 1, "workspace": 1,
			"registry/oci": 2, "registry/ecr": 2, "registry/gar": 2, "events": 2,
			"clouds": 3, "plan": 3, "governance": 3, "estimate": 3,
			"cloudstest": 4, "inventory": 4, "content": 4, "provision": 4, "transfer": 4, "verify": 4,
			"stage": 5, "doctor": 5, "rewrite": 5, "report": 5,
			"sync": 6, "cutover": 6, "generate": 6,
			"cli": 7,
		},
		aside:    []string{"cloudsim", "floors", "golden", "underrace"},
		aliens:   []string{"cloudsim"},
		hosts:    []string{"cli", "cloudstest"},
		pure:     []string{"plan", "governance", "estimate"},
		impure:   []string{"context", "net", "net/http", "os", "os/exec", "os/signal"},
		sdks:     []string{"github.com/aws", "google.golang.org/api", "cloud.google.com"},
		adapters: []string{"registry/oci", "registry/ecr", "registry/gar", "events"},
		strict:   map[string][]string{"verify": {"transfer", "document/journal"}},
		badNames: []string{"common", "helper", "helpers", "misc", "pkg", "types", "util", "utils"},
	}
}

// check returns one message per broken rule, sorted. Each begins with the name
// of the rule and ends with what to do.
func (h house) check(pkgs []pkg) []string {
	var found []string
	graph := map[string][]string{}
	for _, p := range pkgs {
		graph[p.ImportPath] = p.Imports
	}
	for _, p := range pkgs {
		found = append(found, h.checkName(p)...)
		found = append(found, h.checkSDKs(p)...)
		room, _ := h.room(p.ImportPath)
		found = append(found, h.checkClouds(p, room)...)
		found = append(found, h.checkFloor(p, room)...)
		found = append(found, h.checkPure(p, room)...)
		found = append(found, h.checkStrict(p, room, graph)...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// inside cuts the module and the internal folder off an import path.
func (h house) inside(importPath string) (string, bool) {
	return strings.CutPrefix(importPath, h.module+"/internal/")
}

// room finds the entry that a package belongs to: the longest one that is its
// path or a folder above it.
func (h house) room(importPath string) (string, bool) {
	rel, ok := h.inside(importPath)
	for ; ok && rel != "."; rel = path.Dir(rel) {
		if _, found := h.floors[rel]; found || slices.Contains(h.aside, rel) {
			return rel, true
		}
	}
	return "", false
}

func (h house) checkName(p pkg) []string {
	var found []string
	rel, ok := h.inside(p.ImportPath)
	if !ok {
		if p.ImportPath != h.module+"/cmd/transship" {
			found = append(found, fmt.Sprintf("inside: %s stands outside internal/; only cmd/transship does", p.ImportPath))
		}
		return found
	}
	for part := range strings.SplitSeq(rel, "/") {
		if slices.Contains(h.badNames, part) {
			found = append(found, fmt.Sprintf("names: %s: %q does not say what lives there; name the package after it", p.ImportPath, part))
		}
	}
	if _, ok := h.room(p.ImportPath); !ok {
		found = append(found, fmt.Sprintf("every package has a floor: %s has none; give it one in internal/floors/rules_test.go", p.ImportPath))
	}
	return found
}

func (h house) checkFloor(p pkg, room string) []string {
	floor, ok := h.floors[room]
	if !ok {
		return nil
	}
	var found []string
	for _, imported := range p.Imports {
		other, ok := h.room(imported)
		if !ok || slices.Contains(h.aside, other) {
			continue // foreign, without a floor, or a matter of checkClouds
		}
		own := other == room && imported != h.module+"/internal/"+room
		if own || h.floors[other] < floor || under(imported, p.ImportPath) {
			continue
		}
		found = append(found, fmt.Sprintf(
			"floors: %s (floor %d) imports %s (floor %d); a package imports only from lower floors or a sub-package of its own",
			p.ImportPath, floor, imported, h.floors[other]))
	}
	return found
}

func (h house) checkClouds(p pkg, room string) []string {
	var found []string
	alien := slices.Contains(h.aliens, room)
	for _, imported := range p.Imports {
		if !under(imported, h.module) {
			continue
		}
		other, _ := h.room(imported)
		switch {
		case alien && other != room:
			found = append(found, fmt.Sprintf(
				"embedded clouds stand alone: %s imports %s; a cloud that shares code with the product shares its mistakes", p.ImportPath, imported))
		case !alien && slices.Contains(h.aliens, other) && !slices.Contains(h.hosts, room):
			found = append(found, fmt.Sprintf(
				"embedded clouds are for cli and tests: %s imports %s; move the use to a test or to %s", p.ImportPath, imported, strings.Join(h.hosts, ", ")))
		}
	}
	return found
}

func (h house) checkPure(p pkg, room string) []string {
	if !slices.Contains(h.pure, room) {
		return nil
	}
	var found []string
	for _, imported := range p.Imports {
		if slices.Contains(h.impure, imported) {
			found = append(found, fmt.Sprintf(
				"pure: %s imports %s; this floor has no I/O and no context: take the value as an argument", p.ImportPath, imported))
		}
	}
	return found
}

// checkSDKs looks at tests too: outside the adapters and the embedded clouds
// a test that needs an SDK tests the wrong package.
func (h house) checkSDKs(p pkg) []string {
	room, _ := h.room(p.ImportPath)
	if slices.Contains(h.adapters, room) {
		return nil
	}
	imports := p.Imports
	if !slices.Contains(h.aliens, room) {
		imports = slices.Concat(p.Imports, p.TestImports, p.XTestImports)
	}
	var found []string
	for _, imported := range imports {
		if slices.ContainsFunc(h.sdks, func(sdk string) bool { return under(imported, sdk) }) {
			found = append(found, fmt.Sprintf(
				"cloud SDKs: %s imports %s; only %s do: use the port in internal/registry", p.ImportPath, imported, strings.Join(h.adapters, ", ")))
		}
	}
	return found
}

// checkStrict follows the imports through the product, because a detour would
// bring the forbidden knowledge along just as well.
func (h house) checkStrict(p pkg, room string, graph map[string][]string) []string {
	var found []string
	for _, forbidden := range h.strict[room] {
		isForbidden := func(importPath string) bool {
			other, ok := h.room(importPath)
			return ok && other == forbidden
		}
		if way := reach(graph, p.ImportPath, isForbidden); way != nil {
			found = append(found, fmt.Sprintf(
				"%s does not know %s: %s; it must reach its result without it", room, forbidden, strings.Join(way, " → ")))
		}
	}
	return found
}

// reach returns the shortest way through the graph from one package to one
// that matches, or nil.
func reach(graph map[string][]string, from string, match func(string) bool) []string {
	ways := [][]string{{from}}
	seen := map[string]bool{from: true}
	for len(ways) > 0 {
		way := ways[0]
		ways = ways[1:]
		for _, next := range graph[way[len(way)-1]] {
			if seen[next] {
				continue
			}
			seen[next] = true
			longer := append(slices.Clone(way), next)
			if match(next) {
				return longer
			}
			ways = append(ways, longer)
		}
	}
	return nil
}

// under says whether a path is the given one or lies below it.
func under(importPath, folder string) bool {
	return importPath == folder || strings.HasPrefix(importPath, folder+"/")
}
