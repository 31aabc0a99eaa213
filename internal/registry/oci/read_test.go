package oci

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/registry"
)

// readAll opens and reads a blob.
func readAll(c *Client, t *testing.T, name string, b registry.Blob) ([]byte, error) {
	t.Helper()
	r, err := c.OpenBlob(t.Context(), name, b)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func TestReadResumes(t *testing.T) {
	for _, c := range []struct {
		name   string
		action cloudsim.Action
		quirks ecrsim.Quirks
		least  time.Duration
		most   time.Duration
	}{
		{"cut", cloudsim.CutBody(1 << 20), ecrsim.Quirks{}, 0, time.Second},
		{"cut at once", cloudsim.ResetAfterHeaders(), ecrsim.Quirks{}, 0, time.Second},
		{"no ranges", cloudsim.CutBody(1 << 20), ecrsim.Quirks{IgnoreRange: true}, 0, time.Second},
		{"stall", cloudsim.StallBody(1 << 20), ecrsim.Quirks{}, 30 * time.Second, 31 * time.Second},
		{"no answer", cloudsim.Delay(time.Hour), ecrsim.Quirks{}, time.Minute, time.Minute + time.Second},
		{"unavailable", cloudsim.Status(503), ecrsim.Quirks{}, 0, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
				blob := noise(3 << 20)
				w.inECR("app", registry.Manifest{}, "", blob)
				w.ecr.SetQuirks(c.quirks)
				w.sim.Faults.Set(cloudsim.Fault{Kind: "s3.get", Times: 1, Action: c.action})
				client, start := w.source(), time.Now()
				w.requests(map[string]int{"ecr.v2.blob.get": 2, "s3.get": 2}, func() {
					got, err := readAll(client, t, "app", blobOf(blob))
					must(t, err)
					if !bytes.Equal(got, blob) {
						t.Error("the bytes differ")
					}
				})
				if took := time.Since(start); took < c.least || took > c.most {
					t.Errorf("took %s, want %s to %s", took, c.least, c.most)
				}
				// What had arrived before the break is not asked for again (but for what was on the way).
				if sent := w.sim.Counts()["s3.get"].Sent; !c.quirks.IgnoreRange && sent > int64(len(blob))+(1<<19) {
					t.Errorf("%d bytes were sent for a blob of %d", sent, len(blob))
				}
			})
		})
	}
}

// Slow is not stalled: whatever the total time, a byte now and then is progress.
func TestSlowReadIsNotAStall(t *testing.T) {
	bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
		blob := noise(100)
		requests := 0
		c := w.scripted(func(w http.ResponseWriter, r *http.Request) {
			requests++
			w.Header().Set("Content-Length", "100")
			for i := range blob {
				_, _ = w.Write(blob[i : i+1])
				_ = http.NewResponseController(w).Flush()
				if i < len(blob)-1 {
					time.Sleep(29 * time.Second)
				}
			}
		})
		got, err := readAll(c, t, "app", blobOf(blob))
		must(t, err)
		if !bytes.Equal(got, blob) || requests != 1 {
			t.Errorf("%d bytes in %d requests", len(got), requests)
		}
	})
}

// The signed URL expires while the blob is read; each break goes through a fresh redirect.
func TestReadOutlivesItsURL(t *testing.T) {
	opts := cloudsim.Options{ECR: ecrsim.Options{URLLife: time.Second}}
	bubble(t, opts, func(t *testing.T, w *world) {
		blob := noise(2 << 20)
		w.inECR("app", registry.Manifest{}, "", blob)
		w.sim.Faults.Set(cloudsim.Fault{Kind: "s3.get", Times: 3, Action: cloudsim.StallBody(300 << 10)})
		got, err := readAll(w.source(), t, "app", blobOf(blob))
		must(t, err)
		if !bytes.Equal(got, blob) {
			t.Error("the bytes differ")
		}
		if n := w.sim.Counts().Of("ecr.v2.blob.get"); n != 4 {
			t.Errorf("%d redirects, want 4", n)
		}
	})
}

// A URL that has expired before it was used is no lack of permission.
func TestExpiredURLPasses(t *testing.T) {
	bubble(t, cloudsim.Options{ECR: ecrsim.Options{URLLife: time.Minute}}, func(t *testing.T, w *world) {
		blob := noise(1000)
		w.inECR("app", registry.Manifest{}, "", blob)
		w.sim.Faults.Set(cloudsim.Fault{Kind: "s3.get", Times: 1, Action: func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
			time.Sleep(2 * time.Minute)
			next.ServeHTTP(rw, r)
		}})
		_, err := readAll(w.source(func(o *Options) { o.AnswerTimeout = time.Hour }), t, "app", blobOf(blob))
		must(t, err)
		w.sim.Faults.Set(cloudsim.Fault{Kind: "s3.get", Action: cloudsim.Status(403)})
		_, err = readAll(w.source(), t, "app", blobOf(blob))
		wantClass(t, err, registry.Denied, "s3.us-east-1.amazonaws.com, where the registry redirected to, answered 403")
	})
}

func TestCorruptReadsKeepTheLastByte(t *testing.T) {
	for name, c := range map[string]struct {
		size   int
		action cloudsim.Action
	}{
		"first byte":  {1 << 20, cloudsim.FlipByte(0)},
		"last byte":   {1 << 20, cloudsim.FlipByte(1<<20 - 1)},
		"middle":      {1 << 20, cloudsim.FlipByte(1 << 19)},
		"only byte":   {1, cloudsim.FlipByte(0)},
		"little blob": {100, cloudsim.FlipByte(50)},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
				blob := noise(c.size)
				w.inECR("app", registry.Manifest{}, "", blob)
				w.sim.Faults.Set(cloudsim.Fault{Kind: "s3.get", Times: 1, Action: c.action})
				client := w.source()
				got, err := readAll(client, t, "app", blobOf(blob))
				wantClass(t, err, registry.Corrupt, "its bytes have the digest sha256:")
				if len(got) >= len(blob) {
					t.Errorf("%d of %d bytes came out", len(got), len(blob))
				}
				if n := w.sim.Counts().Of("s3.get"); n != 1 {
					t.Errorf("%d reads, want 1: whether to try again is the caller's decision", n)
				}
				_, err = readAll(client, t, "app", blobOf(blob))
				must(t, err)
			})
		})
	}
}

func TestWrongSizes(t *testing.T) {
	blob := noise(1000)
	longer, shorter := blobOf(blob), blobOf(blob)
	longer.Size, shorter.Size = 1001, 999
	for _, chunked := range []bool{false, true} {
		for _, b := range []registry.Blob{longer, shorter} {
			t.Run(fmt.Sprint(chunked, b.Size), func(t *testing.T) {
				bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
					c := w.scripted(func(w http.ResponseWriter, r *http.Request) {
						if chunked {
							_ = http.NewResponseController(w).Flush()
						}
						_, _ = w.Write(blob)
					})
					got, err := readAll(c, t, "app", b)
					wantClass(t, err, registry.Corrupt)
					if int64(len(got)) >= b.Size {
						t.Errorf("%d bytes came out", len(got))
					}
				})
			})
		}
	}
}

func TestBadRanges(t *testing.T) {
	blob := noise(1000)
	for _, header := range []string{"", "bytes 0-999/1000", "bytes 500-999/2000", "bytes 501-999/1000", "bytes x", "bytes 500-400/1000"} {
		t.Run(header, func(t *testing.T) {
			bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
				c := w.scripted(func(w http.ResponseWriter, r *http.Request) {
					if r.Header.Get("Range") == "" {
						w.Header().Set("Content-Length", "1000")
						_, _ = w.Write(blob[:500])
						_ = http.NewResponseController(w).Flush()
						panic(http.ErrAbortHandler)
					}
					w.Header().Set("Content-Range", header)
					w.WriteHeader(http.StatusPartialContent)
					_, _ = w.Write(blob[500:])
				})
				_, err := readAll(c, t, "app", blobOf(blob))
				wantClass(t, err, registry.Corrupt)
			})
		})
	}
}

func TestReadGivesUpWithoutProgress(t *testing.T) {
	bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
		blob := noise(1 << 20)
		w.inECR("app", registry.Manifest{}, "", blob)
		w.sim.Faults.Set(cloudsim.Fault{Kind: "s3.get", Action: cloudsim.CutBody(100)})
		start := time.Now()
		_, err := readAll(w.source(), t, "app", blobOf(blob))
		wantClass(t, err, registry.Unavailable, "the connection broke in the middle of the answer", "gave up after")
		if took := time.Since(start); took < 10*time.Minute || took > 11*time.Minute {
			t.Errorf("gave up after %s, want 10 minutes", took)
		}
		if n := w.sim.Counts().Of("s3.get"); n > 50 {
			t.Errorf("%d requests in the meantime", n)
		}
	})
}

func TestEmptyBlob(t *testing.T) {
	bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
		w.inECR("app", registry.Manifest{}, "", []byte{})
		got, err := readAll(w.source(), t, "app", blobOf(nil))
		if err != nil || len(got) != 0 {
			t.Errorf("%q, %v", got, err)
		}
		wrong := blobOf(noise(1))
		wrong.Size = 0
		c := w.scripted(func(w http.ResponseWriter, r *http.Request) {})
		_, err = readAll(c, t, "app", wrong)
		wantClass(t, err, registry.Corrupt)
	})
}

// However a blob's connections break, its reader gives the right bytes, and passes the standard library's own test.
func TestAnyBreaks(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.IntRange(1, 5000).Draw(rt, "size")
		cuts := rapid.SliceOfN(rapid.Int64Range(0, 6000), 0, 5).Draw(rt, "cuts")
		ignore := rapid.Bool().Draw(rt, "ignore ranges")
		small := rapid.Bool().Draw(rt, "small reads")
		bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
			blob := noise(size)
			w.inECR("app", registry.Manifest{}, "", blob)
			w.ecr.SetQuirks(ecrsim.Quirks{IgnoreRange: ignore})
			var faults []cloudsim.Fault
			for i, n := range cuts {
				faults = append(faults, cloudsim.Fault{Kind: "s3.get", Nth: i + 1, Action: cloudsim.CutBody(n)})
			}
			w.sim.Faults.Set(faults...)
			r, err := w.source().OpenBlob(t.Context(), "app", blobOf(blob))
			if err != nil {
				rt.Fatal(err)
			}
			defer r.Close()
			var from io.Reader = r
			if small {
				from = iotest.OneByteReader(r)
			}
			if err := iotest.TestReader(from, blob); err != nil {
				rt.Fatal(err)
			}
		})
	})
}
