package danger

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"

	"transship/internal/rewrite/mention"
)

// stretchOf is the text of the stretch that a spot is in.
func (j *judge) stretchOf(at spot) []byte { return j.file.Text[at.in.Start:at.in.End] }

// all holds where every condition does.
func all(conditions ...func(*judge, spot) bool) func(*judge, spot) bool {
	return func(j *judge, at spot) bool {
		return !slices.ContainsFunc(conditions, func(c func(*judge, spot) bool) bool { return !c(j, at) })
	}
}

// either holds where a condition does.
func either(conditions ...func(*judge, spot) bool) func(*judge, spot) bool {
	return func(j *judge, at spot) bool {
		return slices.ContainsFunc(conditions, func(c func(*judge, spot) bool) bool { return c(j, at) })
	}
}

// inDocument holds in documents of YAML with something that fits, such as a kind.
func inDocument(p *pattern) func(*judge, spot) bool {
	return func(j *judge, at spot) bool {
		return isOf(markup, j.file.Type) && j.documentFits(p, at.Start)
	}
}

// inFile holds where the beginning of the file has something that fits.
func inFile(p *pattern) func(*judge, spot) bool {
	return func(j *judge, _ spot) bool { return j.spanFits(p, 0, len(j.file.Text)) }
}

// inPath holds in files with such a path.
func inPath(p *regexp.Regexp) func(*judge, spot) bool {
	return func(j *judge, _ spot) bool {
		key := fit{p, -1}
		yes, known := j.fits[key]
		if !known {
			yes = p.MatchString(j.file.Path)
			j.fits[key] = yes
		}
		return yes
	}
}

// matcher is a regular expression, or a pattern.
type matcher interface{ Match(b []byte) bool }

// onLine holds where the stretch, and what is above it in n lines, has something that fits.
func onLine(p matcher, n int) func(*judge, spot) bool {
	return func(j *judge, at spot) bool {
		return p.Match(j.stretchOf(at)) || n > 0 && p.Match(above(j.file.Text, at.Start, n))
	}
}

// underKey holds below a key that fits, or beside it.
func underKey(p *regexp.Regexp) func(*judge, spot) bool {
	return func(j *judge, at spot) bool { return slices.ContainsFunc(j.place(at).keys, p.MatchString) }
}

// atKey holds where the nearest key fits.
func atKey(p *regexp.Regexp) func(*judge, spot) bool {
	return func(j *judge, at spot) bool {
		keys := j.place(at).keys
		return len(keys) > 0 && p.MatchString(keys[0])
	}
}

// topKey holds below an outermost key that fits.
func topKey(p *regexp.Regexp) func(*judge, spot) bool {
	return func(j *judge, at spot) bool {
		keys := j.place(at).keys
		return len(keys) > 0 && p.MatchString(keys[len(keys)-1])
	}
}

// below holds where one of the n lines below the stretch has something that fits.
func below(p *regexp.Regexp, n int) func(*judge, spot) bool {
	return func(j *judge, at spot) bool {
		end := at.in.End
		for range n {
			end = lineAt(j.file.Text, min(end+1, len(j.file.Text)), 0).End
		}
		return p.Match(j.file.Text[at.in.End:min(max(end, at.in.End), at.in.End+maxStretch)])
	}
}

// inType holds in a resource of CloudFormation of a type that fits.
func inType(p *regexp.Regexp) func(*judge, spot) bool {
	return func(j *judge, at spot) bool { return p.MatchString(j.place(at).typ) }
}

// inBlock holds in a block of HCL with a header that fits.
func inBlock(p *regexp.Regexp) func(*judge, spot) bool {
	return func(j *judge, at spot) bool {
		return slices.ContainsFunc(j.blocksAt(at.Start), func(b block) bool { return p.MatchString(b.header) })
	}
}

// inItem holds in an item of a list of YAML, such as a step, that has something that fits.
func inItem(p *pattern) func(*judge, spot) bool {
	return func(j *judge, at spot) bool {
		if !isOf(markup, j.file.Type) {
			return false
		}
		s := itemAround(j.file.Text, at.Start)
		return s.Start < s.End && j.spanFits(p, s.Start, s.End)
	}
}

// isVariableHost holds where a host has a variable in it.
func isVariableHost(j *judge, at spot) bool {
	_, ok := variableHost(j.stretchOf(at))
	return ok
}

// isOtherLength holds where the account of a host has more or fewer digits than an account has.
func isOtherLength(j *judge, at spot) bool { return otherLength(j.stretchOf(at), at.Start-at.in.Start) }

// hasReference holds where a plain reference is in the stretch, which will be rewritten.
func hasReference(j *judge, at spot) bool { return j.holdsReference(at.in.Span) }

// sourceARN holds unless every ARN in the stretch is of another registry.
func sourceARN(j *judge, at spot) bool { return !j.foreign(j.stretchOf(at)) }

// base64Text is what may be a secret's value.
var base64Text = regexp.MustCompile(`[A-Za-z0-9+/]{24,}={0,2}`)

// hidesHost holds where text in base64, in the stretch or up to two lines below, names ECR.
func hidesHost(j *judge, at spot) bool {
	end := at.in.End
	for range 2 {
		end = lineAt(j.file.Text, end+1, min(end, len(j.file.Text))).End
	}
	end = min(end, at.Start+maxBytes)
	for _, b := range base64Text.FindAll(j.file.Text[at.Start:max(end, at.Start)], 8) {
		b = b[:len(b)/4*4]
		decoded := make([]byte, base64.StdEncoding.DecodedLen(len(b)))
		n, _ := base64.StdEncoding.Decode(decoded, b)
		if hostMiddle.Match(decoded[:n]) && !j.foreign(decoded[:n]) {
			return true
		}
	}
	return false
}

// isTerraform holds in Terraform's configuration and in templates of it.
func isTerraform(j *judge, _ spot) bool {
	return j.file.Type == mention.HCL || strings.HasSuffix(j.file.Path, ".tf.json") || strings.HasSuffix(j.file.Path, ".tpl") || strings.HasSuffix(j.file.Path, ".tftpl")
}

// noImport holds unless the line only imports something.
func noImport(j *judge, at spot) bool {
	line := lineAt(j.file.Text, at.Start, 0)
	return !importLine.Match(j.file.Text[line.Start:line.End])
}

var importLine = regexp.MustCompile(`^\s*(?:import\b|from\s+\S+\s+import\b|(?:const|var|let)\b.*=\s*require\(|using\s|"[\w./-]+"\s*$|use\s)`)

// notIn holds unless the stretch has one of the words.
func notIn(words ...string) func(*judge, spot) bool {
	return func(j *judge, at spot) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return bytes.Contains(j.stretchOf(at), []byte(w)) })
	}
}
