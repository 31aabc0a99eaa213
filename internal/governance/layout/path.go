package layout

import (
	"fmt"

	"transship/internal/ref"
)

// identity is what may share an image path.
type identity struct{ name, content string }

// paths gives each source its image. Whoever would meet another's goes below its region, its account or both, as plans
// propose for conflicts.
func (l *layout) paths() {
	taken := map[ref.TargetImage]identity{}
	claim := func(x *placed, t ref.TargetImage) bool {
		me := identity{x.Repository.Name, x.Content}
		if who, ok := taken[t]; ok && who != me {
			return false
		}
		taken[t], x.image = me, t
		return true
	}
	for _, x := range l.all { // what stays has the first choice, and is never moved apart
		if x.Settled && !claim(x, x.led) {
			x.image = x.led
		}
	}
	var apart []*placed
	for _, x := range l.all {
		if x.image != (ref.TargetImage{}) {
			continue
		}
		want := x.place.target.Image(l.base.Path).Join(x.Repository.Name)
		if x.stays() {
			want = x.led
		}
		if !claim(x, want) {
			apart = append(apart, x)
		}
	}
	for _, x := range apart {
		for n := 0; ; n++ {
			if claim(x, x.place.target.Image(l.base.Path).Join(prefix(x.Repository.Registry, n)).Join(x.Repository.Name)) {
				break
			}
		}
	}
}

// stays reports whether a frozen rule leads to the place already.
func (x *placed) stays() bool { return x.ruled && x.place.target == x.led.Repository }

// prefix is the nth path to try for a repository of r.
func prefix(r ref.Registry, n int) string {
	switch n {
	case 0:
		return r.Region
	case 1:
		return r.Account
	case 2:
		return r.Account + "/" + r.Region
	}
	return fmt.Sprintf("%s/%s/%d", r.Account, r.Region, n)
}
