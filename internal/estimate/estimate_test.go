package estimate

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
)

var (
	virginia = ref.Registry{Account: "123456789012", Region: "us-east-1"}
	osaka    = ref.Registry{Account: "123456789012", Region: "ap-northeast-3"}
	us       = ref.TargetRepository{Location: "us", Project: "my-project", ID: "app-images"}
	europe   = ref.TargetRepository{Location: "europe", Project: "my-project", ID: "app-images"}
	now      = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
)

func hash(s string) digest.Digest { return digest.FromString(s) }

// world is a plan with its inventory under construction.
type world struct {
	c     Config
	blobs map[string]int
}

func newWorld() *world { return &world{blobs: map[string]int{}} }

// blob is the position of a blob of size bytes.
func (w *world) blob(name string, size int64) int {
	n, ok := w.blobs[name]
	if !ok {
		n = len(w.c.Plan.Blobs)
		w.blobs[name] = n
		w.c.Plan.Blobs = append(w.c.Plan.Blobs, document.PlannedBlob{Digest: hash("blob " + name), Size: size})
	}
	return n
}

// manifest makes a manifest of 10 bytes.
func (w *world) manifest(name string, blobs ...int) *document.PlannedManifest {
	w.c.Plan.Manifests = append(w.c.Plan.Manifests, document.PlannedManifest{Digest: hash(name), Size: 10, Blobs: blobs})
	return &w.c.Plan.Manifests[len(w.c.Plan.Manifests)-1]
}

// image plans an image path; each text is NAME or NAME:TAG,TAG of a manifest.
func (w *world) image(from ref.Registry, to ref.TargetRepository, path string, references ...string) {
	image := document.PlannedImage{Target: to.Image(path), Sources: []ref.Repository{from.Repository(path)}}
	for _, text := range references {
		name, tags, tagged := strings.Cut(text, ":")
		r := document.PlannedReference{Digest: hash(name)}
		if tagged {
			r.Tags = strings.Split(tags, ",")
		}
		image.References = append(image.References, r)
		w.c.Inventory.Source.Images = append(w.c.Inventory.Source.Images, document.SourceImage{
			URI: image.Sources[0], Digest: r.Digest, Tags: r.Tags, Size: 1000, PushedAt: now.AddDate(-1, 0, 0), LastPulledAt: now.AddDate(0, 0, -1),
		})
	}
	w.c.Plan.Images = append(w.c.Plan.Images, image)
	for _, r := range w.c.Plan.Repositories {
		if r.URI == to {
			return
		}
	}
	w.c.Plan.Repositories = append(w.c.Plan.Repositories, document.PlannedRepository{URI: to})
}

// listed is an image of the source.
func (w *world) listed(name string) *document.SourceImage {
	for n := range w.c.Inventory.Source.Images {
		if w.c.Inventory.Source.Images[n].Digest == hash(name) {
			return &w.c.Inventory.Source.Images[n]
		}
	}
	return nil
}

// landed puts a manifest to the target.
func (w *world) landed(to ref.TargetRepository, path, name string, tags ...string) {
	w.c.Inventory.Target.Images = append(w.c.Inventory.Target.Images, document.TargetImage{URI: to.Image(path), Digest: hash(name), Tags: tags, Size: 77})
}

func (w *world) make() document.Estimate {
	w.c.Now = now
	return Make(w.c)
}

// pair is two images that share a layer of 3 GB, with one of 1 GB and one of 2 GB of their own.
func pair() *world {
	w := newWorld()
	shared := w.blob("shared", 3*GB)
	w.manifest("a", shared, w.blob("a", GB))
	w.manifest("b", shared, w.blob("b", 2*GB))
	w.image(virginia, us, "app", "a:v1", "b:v2,latest")
	return w
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func (w *world) want(t *testing.T, want document.EstimatedMove) document.Estimate {
	t.Helper()
	e := w.make()
	if e.Move != want {
		t.Errorf("it moves %+v\nwant     %+v", e.Move, want)
	}
	return e
}

func TestSharedLayersLeaveECROnce(t *testing.T) {
	e := pair().want(t, document.EstimatedMove{References: 3, Manifests: 2, Blobs: 3, Bytes: 6 * GB, UniqueBytes: 6 * GB, ListedBytes: 2000})
	if len(e.Egress) != 1 || !near(e.Egress[0].Cost, 6*0.09) || e.Egress[0].NaiveBytes != 4*GB+2*5*GB || e.Egress[0].Target != us.Host() {
		t.Errorf("egress %+v", e.Egress)
	}
	if s := e.Storage[0]; s.Before != 0 || s.After != 6*GB+20 || !near(s.Monthly, (6*GB+20)*0.10/GB) {
		t.Errorf("storage %+v", s)
	}
	loads := map[string]int64{}
	for _, l := range e.Loads {
		loads[l.Kind] = l.Requests
	}
	want := map[string]int64{ // 3 GB are 716 pieces of 4 MiB, 2 GB 477, 1 GB 239; a listing is two requests
		"BatchGetImage": 1, "GetDownloadUrlForLayer": 3, "S3 GetObject": 716 + 477 + 239, "writes": 6 + 3, "requests": 6 + 3 + 2,
	}
	for kind, n := range want {
		if loads[kind] != n {
			t.Errorf("%d requests of %s, want %d", loads[kind], kind, n)
		}
	}
}

func TestWhatTheTargetHasIsNotMoved(t *testing.T) {
	w := pair()
	w.landed(us, "app", "a", "v1")
	w.landed(us, "app", "stranger")
	e := w.want(t, document.EstimatedMove{References: 2, Manifests: 1, Blobs: 1, Bytes: 2 * GB, UniqueBytes: 6 * GB, PresentBytes: 4 * GB, ListedBytes: 2000})
	if s := e.Storage[0]; s.Before != 4*GB+10+77 || s.After != 6*GB+20+77 {
		t.Errorf("storage %+v", s)
	}
}

func TestATagOfSomebodyElseIsNotWritten(t *testing.T) {
	w := pair()
	w.landed(us, "app", "a", "v1", "latest")
	w.landed(us, "app", "b", "v2")
	w.c.Plan.Difference.ForeignTags = []document.Tag{{Target: us.Image("app"), Tag: "latest", Digest: hash("a")}}
	w.want(t, document.EstimatedMove{UniqueBytes: 6 * GB, PresentBytes: 6 * GB, ListedBytes: 2000})
}

// A second path gets the layer by a mount; another host reads it once more.
func TestFurtherPlaces(t *testing.T) {
	w := newWorld()
	w.manifest("a", w.blob("a", GB))
	w.image(virginia, europe, "one", "a:v1")
	w.image(virginia, us, "one", "a:v1")
	w.image(virginia, us, "two", "a:v1")
	w.want(t, document.EstimatedMove{References: 3, Manifests: 3, Blobs: 2, Bytes: 2 * GB, Mounts: 1, UniqueBytes: GB, ListedBytes: 3000})
}

// An index goes by digest before its tag only where something describes it.
func TestAnIndexWithASignature(t *testing.T) {
	w := newWorld()
	w.manifest("amd64", w.blob("amd64", 100))
	w.manifest("index").Children = []digest.Digest{hash("amd64")}
	w.manifest("signature", w.blob("signature", 1)).Subject = hash("index")
	w.image(virginia, us, "app", "index:v1", "amd64", "signature")
	e := w.want(t, document.EstimatedMove{References: 3, Manifests: 3, Blobs: 2, Bytes: 101, UniqueBytes: 101, ListedBytes: 3000})
	for _, l := range e.Loads {
		if l.Kind == "writes" && l.Requests != 2*2+4 {
			t.Errorf("%d writes, want two for each of 2 blobs and 4 of manifests", l.Requests)
		}
	}
}

func TestNoImages(t *testing.T) {
	e := newWorld().want(t, document.EstimatedMove{})
	if e.Time.Total != 0 || len(e.Loads)+len(e.Egress)+len(e.Storage) != 0 || e.Time.QuotaRulesAt != 0 {
		t.Errorf("nothing costs %+v", e)
	}
	var b strings.Builder
	if err := document.Encode(&b, e); err != nil || strings.Contains(strings.ReplaceAll(b.String(), `"sources": null`, ""), "null") {
		t.Errorf("%s, %v", b.String(), err)
	}
}

func TestPrices(t *testing.T) {
	w := newWorld()
	w.manifest("a", w.blob("a", GB))
	w.image(osaka, us, "app", "a:v1")
	e := w.make()
	if e.Egress[0].Cost != 0 || !strings.Contains(strings.Join(e.Assumptions, "\n"), "No price of egress is known for ap-northeast-3") {
		t.Errorf("an unknown region costs %+v: %v", e.Egress, e.Assumptions)
	}
	regions, _ := ref.ParseGlob("ap-*")
	locations, _ := ref.ParseGlob("us")
	w.c.Prices = Prices{Egress: []Price{{regions, 0.02}}, Storage: []Price{{locations, 0.05}}}
	e = w.make()
	if !near(e.Egress[0].Cost, 0.02) || e.Storage[0].PerGB != 0.05 || strings.Contains(strings.Join(e.Assumptions, "\n"), "No price") || e.PricesAsOf == AsOf {
		t.Errorf("own prices give %+v, %+v", e.Egress, e.Storage)
	}
	for region, want := range map[string]float64{"us-gov-west-1": 0.155, "eu-west-3": 0.09, "sa-east-1": 0.15, "ap-southeast-1": 0.12} {
		if r := (Prices{}).egress(ref.Registry{Region: region}); r.perGB != want || !r.known {
			t.Errorf("%s costs %v a GB, want %v", region, r.perGB, want)
		}
	}
	if (Prices{}).egress(ref.Registry{Region: "cn-north-1"}).known {
		t.Error("nobody knows a price for China")
	}
}

func TestWhatRules(t *testing.T) {
	for _, c := range []struct {
		name  string
		set   func(*Config)
		total float64
		bound string
		from  string
	}{
		{"assumed", func(*Config) {}, 6 * GB / 125e6, boundByBandwidth, Assumed},
		{"measured, of two machines", func(c *Config) { c.Bandwidth, c.Machines = Bandwidth{GB / 2, Measured}, 2 }, 6, boundByBandwidth, Measured},
		{"capped", func(c *Config) { c.Bandwidth, c.MaxBandwidth = Bandwidth{6 * GB, Measured}, GB }, 6, boundByBandwidth, Given},
		{"requests capped", func(c *Config) { c.Bandwidth, c.MaxRequestsPerSecond = Bandwidth{6 * GB, Given}, 1 }, 1432, boundByQuota, Given},
	} {
		w := pair()
		c.set(&w.c)
		e := w.make()
		if !near(e.Time.Total, c.total) || e.Time.Bound != c.bound || e.Time.Origin != c.from {
			t.Errorf("%s: %+v, want %v s by %s", c.name, e.Time, c.total, c.bound)
		}
	}
}

func TestMeasure(t *testing.T) {
	r := document.Results{StartedAt: now, EndedAt: now.Add(10 * time.Second), Traffic: document.Traffic{BytesRead: GB}}
	if b, ok := Measure(r); !ok || b != (Bandwidth{GB / 10, Measured}) {
		t.Errorf("measured %+v", b)
	}
	r.EndedAt = now.Add(time.Second)
	if b, ok := Measure(r); ok {
		t.Errorf("a second tells %+v", b)
	}
	r.EndedAt, r.Traffic.BytesRead = now.Add(time.Hour), 1000
	if b, ok := Measure(r); ok {
		t.Errorf("1000 bytes tell %+v", b)
	}
}
