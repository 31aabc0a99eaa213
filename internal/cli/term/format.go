package term

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Bytes writes n bytes in decimal units, as the clouds bill them: "1.2 GB".
func Bytes(n int64) string {
	value, unit := scale(n)
	return value + " " + unit
}

// BytesColumn is Bytes in seven columns, so that what changes does not make a line jump.
func BytesColumn(n int64) string { return fmt.Sprintf("%7s", Bytes(n)) }

func scale(n int64) (value, unit string) {
	units := [...]string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}
	v, i := math.Abs(float64(n)), 0
	for v >= 999.5 && i < len(units)-1 {
		v /= 1000
		i++
	}
	sign := ""
	if n < 0 {
		sign = "-"
	}
	if i == 0 || v >= 99.95 {
		return sign + strconv.FormatFloat(v, 'f', 0, 64), units[i]
	}
	return sign + strconv.FormatFloat(v, 'f', 1, 64), units[i]
}

// BytesOf writes a part of a whole: "1.2 of 4.8 GB", or "900 MB of 4.8 GB" where the units differ.
func BytesOf(part, whole int64) string {
	value, unit := scale(part)
	_, other := scale(whole)
	if unit == other || part == 0 {
		return value + " of " + Bytes(whole)
	}
	return Bytes(part) + " of " + Bytes(whole)
}

// Rate writes bytes per second: "182 MB/s".
func Rate(perSecond float64) string {
	if math.IsNaN(perSecond) || perSecond < 0 || perSecond > math.MaxInt64/2 {
		perSecond = 0
	}
	return Bytes(int64(perSecond)) + "/s"
}

// Bits writes a bandwidth as networks are sold: "400 Mbit/s". It is given in bytes a second.
func Bits(bytes int64) string {
	v, unit := float64(bytes)*8/1e6, "Mbit/s"
	switch {
	case v >= 1000:
		v, unit = v/1000, "Gbit/s"
	case v > 0 && v < 1:
		v, unit = v*1000, "kbit/s"
	}
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0") + " " + unit
}

// Number writes n with a comma at every thousand.
func Number[T ~int | ~int64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, r := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Count writes n of something, given in the singular: "1 image", "1,234 images", "2 repositories".
func Count[T ~int | ~int64](n T, noun string) string {
	if n != 1 {
		noun = plural(noun)
	}
	return Number(n) + " " + noun
}

func plural(noun string) string {
	if stem, ok := strings.CutSuffix(noun, "y"); ok && !strings.HasSuffix(stem, "a") && !strings.HasSuffix(stem, "e") && !strings.HasSuffix(stem, "o") {
		return stem + "ies"
	}
	return noun + "s"
}

// Percent writes part of whole: "38 %". All is only what is all: 100 % is not rounded up to.
func Percent(part, whole int64) string { return strconv.Itoa(int(100*share(part, whole))) + " %" }

// share is part of whole, between 0 and 1.
func share(part, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return min(1, max(0, float64(part)/float64(whole)))
}

// Duration writes how long something took: "0.4 s", "42 s", "3 min 20 s", "2 h 05 min", "3 d 4 h".
func Duration(d time.Duration) string {
	switch d = max(d, 0); {
	case d < 9950*time.Millisecond:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < time.Minute-time.Second/2:
		return strconv.Itoa(int(d.Round(time.Second)/time.Second)) + " s"
	case d < time.Hour-time.Second/2:
		n := int(d.Round(time.Second) / time.Second)
		return fmt.Sprintf("%d min %02d s", n/60, n%60)
	case d < 24*time.Hour-time.Minute/2:
		n := int(d.Round(time.Minute) / time.Minute)
		return fmt.Sprintf("%d h %02d min", n/60, n%60)
	}
	n := int(d.Round(time.Hour) / time.Hour)
	return fmt.Sprintf("%d d %d h", n/24, n%24)
}

// Left writes how long something will take, which nobody knows precisely: "45 s", "12 min", "2 h 05 min".
func Left(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return strconv.Itoa(int((d+time.Second-1)/time.Second)) + " s"
	case d < time.Hour:
		return strconv.Itoa(int((d+time.Minute-1)/time.Minute)) + " min"
	}
	return Duration(d)
}

// Age writes how long ago t was: "today", "12 days ago", "5 months ago", "4 years ago". A future or missing t says
// nothing.
func Age(t, now time.Time) string {
	if t.IsZero() || now.IsZero() || t.After(now) {
		return ""
	}
	const day = 24 * time.Hour
	switch days := int(now.Sub(t) / day); {
	case days == 0:
		return "today"
	case days < 60:
		return Count(days, "day") + " ago"
	case days < 730:
		return Count(int(float64(days)/30.44), "month") + " ago"
	default:
		return Count(int(float64(days)/365.25), "year") + " ago"
	}
}
