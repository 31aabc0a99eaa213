package markdown

import "testing"

func TestText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"team/api:1.0":              "team/api:1.0",
		"a | b":                     `a \| b`,
		"`x` and ``y``":             "\\`x\\` and \\`\\`y\\`\\`",
		"[x](http://evil.example)":  `\[x\](http://evil.example)`,
		"![x](y)":                   `!\[x\](y)`,
		"<script>alert(1)</script>": "&lt;script&gt;alert(1)&lt;/script&gt;",
		"&lt;":                      "&amp;lt;",
		"a\n# head\r\n- item":       "a #<!-- --> head  - item",
		"*a* _b_ ~c~ {d}":           `\*a\* \_b\_ \~c\~ \{d\}`,
		`a\`:                        `a\\`,
		"@octocat, (@team) #1":      "@<!-- -->octocat, (@<!-- -->team) #<!-- -->1",
		"robot@project.example":     "robot@project.example",
		"\x1b[2J\u202eevil\u2028":   ` \[2J evil `,
		"Grüße, 世界":                 "Grüße, 世界",
	} {
		if got := Text(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestCode(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                  "",
		" \n":               "",
		"team/api@sha256:0": "`team/api@sha256:0`",
		"a`b":               "`` a`b ``",
		"`a```b":            "```` `a```b ````",
		"<b>*x*</b>":        "`<b>*x*</b>`",
		"a\nb":              "`a b`",
		"a|b":               "`a|b`",
	} {
		if got := Code(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
	if got, want := CodeCell("a|b`|"), "`` a\\|b`\\| ``"; got != want {
		t.Errorf("in a cell it is %q, want %q", got, want)
	}
}
