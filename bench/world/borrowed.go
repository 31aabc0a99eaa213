package world

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"

	"golang.org/x/time/rate"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/store"
)

// This file stands in for two things that the embedded clouds are to have themselves, and then shrinks to two lines:
//
//	o.HostBandwidth = map[string]int64{S3Host: perConnection}   in newSim
//	return store.Generated(seed, size)                          in Generated

// newSim makes the clouds, with each connection to S3 held to so many bytes a second; 0 is no limit.
func newSim(o cloudsim.Options, perConnection int64) *cloudsim.Sim {
	sim := cloudsim.New(o)
	if perConnection > 0 {
		var connections sync.Map // the client's address, so that streams of one connection share what it has
		sim.Faults.Set(cloudsim.Fault{Kind: "s3.get", Action: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			bucket, _ := connections.LoadOrStore(r.RemoteAddr, rate.NewLimiter(rate.Limit(perConnection), 128<<10))
			next.ServeHTTP(&heldWriter{w, r, bucket.(*rate.Limiter)}, r)
		}})
	}
	return sim
}

type heldWriter struct {
	http.ResponseWriter
	request *http.Request
	bucket  *rate.Limiter
}

func (h *heldWriter) Unwrap() http.ResponseWriter { return h.ResponseWriter }

func (h *heldWriter) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		part := b[n:min(len(b), n+h.bucket.Burst())]
		if err = h.bucket.WaitN(h.request.Context(), len(part)); err == nil {
			var m int
			m, err = h.ResponseWriter.Write(part)
			n += m
		}
	}
	return n, err
}

// generatedBlock is how many bytes of a generated blob are random; each further block differs in its first eight.
const generatedBlock = 1 << 20

type generated struct {
	block []byte
	size  int64
}

// Generated returns a blob of that size which is the same for the same seed and needs no memory for its bytes.
func Generated(seed uint64, size int64) store.Blob {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	g := generated{block: make([]byte, generatedBlock), size: size}
	_, _ = rand.NewChaCha8(key).Read(g.block) // never fails
	return g
}

func (g generated) Size() int64 { return g.size }

func (g generated) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) && off < g.size {
		at := off % generatedBlock
		m := copy(p[n:], g.block[at:min(generatedBlock, at+g.size-off)])
		var number [8]byte
		binary.LittleEndian.PutUint64(number[:], uint64(off/generatedBlock))
		for i := at; i < 8 && i < at+int64(m); i++ {
			p[n+int(i-at)] ^= number[i]
		}
		n, off = n+m, off+int64(m)
	}
	if n < len(p) {
		err = io.EOF
	}
	return n, err
}
