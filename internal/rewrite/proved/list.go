package proved

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"transship/internal/ref"
)

// ReadList reads source repositories, one a line: HOST/NAME, or NAME alone, which means that of each of the sources. An
// empty line and what follows a # say nothing.
func ReadList(r io.Reader, sources []ref.Registry) ([]ref.Repository, error) {
	var out []ref.Repository
	s := bufio.NewScanner(r)
	for n := 1; s.Scan(); n++ {
		text, _, _ := strings.Cut(strings.TrimPrefix(s.Text(), "\ufeff"), "#")
		text = strings.TrimSpace(text)
		repository, err := ref.ParseRepository(text)
		switch {
		case text == "":
		case err == nil:
			out = append(out, repository)
		case ref.ValidRepositoryName(text):
			if len(sources) == 0 {
				return nil, fmt.Errorf("line %d: %q has no host, and no source is known: write HOST/NAME, or pass --from", n, text)
			}
			for _, source := range sources {
				out = append(out, source.Repository(text))
			}
		default:
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	return out, s.Err()
}

// FromList vouches for all of the repositories, which the mapping leads to the target.
func FromList(list []ref.Repository, mapping ref.Mapping, o Options) (*Known, error) {
	target := ""
	if mapping.Default != (ref.TargetImage{}) {
		target = mapping.Default.String()
	}
	place, err := o.place(target)
	if err != nil {
		return nil, err
	}
	k := newKnown(nil)
	if len(mapping.Rules) == 0 {
		k.general = place(mapping.Default)
	}
	seen := map[ref.Registry]bool{}
	for _, source := range list {
		t, err := mapping.Map(source)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", source, err)
		}
		k.repositories[source] = &repository{source: source, target: place(t), listed: true}
		if !seen[source.Registry] {
			seen[source.Registry] = true
			k.sources = append(k.sources, source.Registry)
		}
	}
	k.turn()
	return k, nil
}

// Nothing knows of nothing that arrived from the sources.
func Nothing(sources []ref.Registry) *Known { return newKnown(sources) }
