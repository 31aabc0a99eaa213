package ref

import (
	"fmt"
	"slices"
	"strings"
)

// DeadRule is a rule of a mapping that decides nothing: the user meant something by it that does not happen.
type DeadRule struct {
	Index   int // in the mapping's rules
	Rule    Rule
	Among   int    // how many repositories there were to match
	Matched int    // how many of them it matches; earlier rules take all
	By      []Rule // those rules, in their order; none where it matches nothing
	Nearest string // the repository that its pattern nearly matches, spelled like the pattern; may be empty
}

// Dead returns the rules of m that decide about none of the repositories, in their order.
func (m Mapping) Dead(repositories []Repository) []DeadRule {
	dead := make([]DeadRule, len(m.Rules))
	alive := make([]bool, len(m.Rules))
	taking := make([]map[int]bool, len(m.Rules))
	for i := range taking {
		taking[i] = map[int]bool{}
	}
	for _, r := range repositories {
		first := -1
		for i, u := range m.Rules {
			switch {
			case !u.From.MatchRepository(r):
			case first < 0:
				first, alive[i] = i, true
			default:
				dead[i].Matched++
				taking[i][first] = true
			}
		}
	}
	var out []DeadRule
	for i, d := range dead {
		if alive[i] {
			continue
		}
		d.Index, d.Rule, d.Among = i, m.Rules[i], len(repositories)
		for j := range i {
			if taking[i][j] {
				d.By = append(d.By, m.Rules[j])
			}
		}
		if d.Matched == 0 {
			d.Nearest = d.Rule.From.nearest(repositories)
		}
		out = append(out, d)
	}
	return out
}

// maxNamed is how many rules an error names.
const maxNamed = 3

// Error names the rule with its place, what is wrong with it, and the remedy.
func (d DeadRule) Error() string {
	if d.Matched > 0 {
		names := make([]string, 0, len(d.By))
		for _, u := range d.By {
			names = append(names, u.name())
		}
		if more := len(names) - maxNamed; more > 0 {
			names = append(names[:maxNamed], fmt.Sprintf("%d more", more))
		}
		return fmt.Sprintf("%sthe rule for %q is never reached: all that it matches (%s) is taken before by %s; put it in front of that, or take it out",
			d.Rule.at(), d.Rule.From, repositories(d.Matched), strings.Join(names, ", "))
	}
	hint := ""
	if d.Nearest != "" {
		hint = fmt.Sprintf("did you mean %q? ", d.Nearest)
	}
	return fmt.Sprintf("%sthe rule for %q matches none of the %s of the sources: %smend the pattern, or take the rule out",
		d.Rule.at(), d.Rule.From, repositories(d.Among), hint)
}

func repositories(n int) string {
	if n == 1 {
		return "1 repository"
	}
	return fmt.Sprintf("%d repositories", n)
}

// at is where the rule was written, in front of a message.
func (u Rule) at() string {
	if u.Place == "" {
		return ""
	}
	return u.Place + ": "
}

func (u Rule) name() string {
	if u.Place == "" {
		return fmt.Sprintf("%q", u.From)
	}
	return fmt.Sprintf("%q (%s)", u.From, u.Place)
}

// nearest is the repository that takes the fewest changes of characters to be matched by g, and no more than half of
// the characters that g spells out: further away it would be no help. It is empty where there is none.
func (g Glob) nearest(repositories []Repository) string {
	best, least := "", len(strings.NewReplacer("*", "", "?", "").Replace(g.text))/2
	for _, r := range repositories {
		for _, name := range []string{r.Name, r.String()} {
			n := g.distance(name, least)
			if n < least || n == least && (best == "" || name < best) {
				best, least = name, n
			}
		}
	}
	return best
}

// distance is how many characters must be added, taken away or changed in s for g to match it, or more than most where
// that is more. A * costs nothing for what it stands for.
func (g Glob) distance(s string, most int) int {
	row := make([]int, len(s)+1) // by how much of s; for the pattern read so far
	for j := range row {
		row[j] = j
	}
	for i := range len(g.text) {
		c := g.text[i]
		free := c == '*'
		diagonal := row[0]
		if !free {
			row[0]++
		}
		for j := 1; j <= len(s); j++ {
			above := row[j]
			switch {
			case free:
				row[j] = min(above, row[j-1])
			case c == '?' || c == s[j-1]:
				row[j] = min(diagonal, above+1, row[j-1]+1)
			default:
				row[j] = 1 + min(diagonal, above, row[j-1])
			}
			diagonal = above
		}
		if slices.Min(row) > most {
			return most + 1
		}
	}
	return row[len(s)]
}
