package term

import (
	"math"
	"testing"
	"time"
)

func TestBits(t *testing.T) {
	for n, want := range map[int64]string{0: "0 Mbit/s", 12_500_000: "100 Mbit/s", 125_000_000: "1 Gbit/s", 312_500_000: "2.5 Gbit/s", 1_000: "8 kbit/s"} {
		if got := Bits(n); got != want {
			t.Errorf("%d bytes a second are %q, want %q", n, got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1: "1 B", 999: "999 B", 1000: "1.0 kB", 1234: "1.2 kB", 99_940: "99.9 kB", 99_960: "100 kB", 999_499: "999 kB",
		999_500: "1.0 MB", 1_234_567_890: "1.2 GB", 48_000_000_000: "48.0 GB", math.MaxInt64: "9.2 EB", -1500: "-1.5 kB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
		if got := BytesColumn(n); n >= 0 && Width(got) != 7 {
			t.Errorf("BytesColumn(%d) = %q is not 7 wide", n, got)
		}
	}
	for want, got := range map[string]string{
		"1.2 of 4.8 GB": BytesOf(1_200_000_000, 4_800_000_000), "900 MB of 4.8 GB": BytesOf(900_000_000, 4_800_000_000),
		"0 of 4.8 GB": BytesOf(0, 4_800_000_000), "182 MB/s": Rate(182e6), "0 B/s": Rate(math.NaN()),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestCount(t *testing.T) {
	for want, got := range map[string]string{
		"1 image": Count(1, "image"), "0 images": Count(0, "image"), "1,234 images": Count(1234, "image"), "2 repositories": Count(2, "repository"),
		"2 days": Count(2, "day"), "-1,234,567": Number(-1234567), "999": Number(999), "9,223,372,036,854,775,807": Number(int64(math.MaxInt64)),
		"99 %": Percent(9999, 10000), "100 %": Percent(1, 1), "0 %": Percent(1, 0),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0.0 s", 400 * time.Millisecond: "0.4 s", 9949 * time.Millisecond: "9.9 s", 9960 * time.Millisecond: "10 s", 42 * time.Second: "42 s",
		59*time.Second + 700*time.Millisecond: "1 min 00 s", 200 * time.Second: "3 min 20 s", 125 * time.Minute: "2 h 05 min",
		59*time.Minute + 59*time.Second + 900*time.Millisecond: "1 h 00 min", 76 * time.Hour: "3 d 4 h", 24*time.Hour - time.Second: "1 d 0 h",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{100 * time.Millisecond: "1 s", 45 * time.Second: "45 s", 61 * time.Second: "2 min", 3 * time.Hour: "3 h 00 min"} {
		if got := Left(d); got != want {
			t.Errorf("Left(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestAge(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for want, at := range map[string]time.Time{
		"today": now.Add(-time.Hour), "1 day ago": now.AddDate(0, 0, -1), "59 days ago": now.AddDate(0, 0, -59), "5 months ago": now.AddDate(0, -5, -3),
		"4 years ago": now.AddDate(-4, 0, -2), "": now.Add(time.Hour),
	} {
		if got := Age(at, now); got != want {
			t.Errorf("Age(%v) = %q, want %q", at, got, want)
		}
	}
	if Age(time.Time{}, now) != "" || Age(now, time.Time{}) != "" {
		t.Error("a missing time has an age")
	}
}

func TestSpeed(t *testing.T) {
	var s speed
	start := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	if _, knows := s.left(1); knows || s.perSecond() != 0 {
		t.Error("a speed is known before anything was measured")
	}
	for i := range 300 { // half a minute at 100 a second
		s.add(start.Add(time.Duration(i)*frameEvery), int64(i*10))
	}
	if got := s.perSecond(); math.Abs(got-100) > 1 {
		t.Errorf("%v a second, want 100", got)
	}
	if left, knows := s.left(1000); !knows || (left-10*time.Second).Abs() > time.Second/2 {
		t.Errorf("left %v (%v), want 10 s", left, knows)
	}
	for i := range 110 { // a standstill
		s.add(start.Add(30*time.Second+time.Duration(i)*frameEvery), 2990)
	}
	if _, knows := s.left(1000); knows || s.perSecond() > 0 {
		t.Errorf("after a standstill of 11 s: %v a second", s.perSecond())
	}
	if len(s.samples) > 25 {
		t.Errorf("%d samples are kept", len(s.samples))
	}
}
