package ecrsim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// maxManifest is the largest manifest that ECR takes. FACTS A1 (imageManifest).
const maxManifest = 4 << 20

// route is a data plane request, taken apart.
type route struct {
	kind      string // manifest, blob, upload, tags, referrers, base, catalog, unknown
	name      string // of the repository
	reference string // tag, digest or upload id
}

// parseRoute takes a path apart. A repository's name may hold the words manifests and blobs, so the last ones count.
func parseRoute(path string) route {
	rest, ok := strings.CutPrefix(path, "/v2")
	switch {
	case !ok:
		return route{kind: "unknown"}
	case rest == "" || rest == "/":
		return route{kind: "base"}
	case rest == "/_catalog":
		return route{kind: "catalog"}
	}
	rest = strings.TrimPrefix(rest, "/")
	if name, ok := strings.CutSuffix(rest, "/tags/list"); ok {
		return route{kind: "tags", name: name}
	}
	if i := strings.LastIndex(rest, "/blobs/uploads"); i > 0 {
		id := strings.Trim(rest[i+len("/blobs/uploads"):], "/")
		return route{"upload", rest[:i], id}
	}
	for word, kind := range map[string]string{"/manifests/": "manifest", "/blobs/": "blob", "/referrers/": "referrers"} {
		if i := strings.LastIndex(rest, word); i > 0 && !strings.Contains(rest[i+len(word):], "/") {
			return route{kind, rest[:i], rest[i+len(word):]}
		}
	}
	return route{kind: "unknown"}
}

// Kind says ecr.v2.THING.METHOD, as in ecr.v2.manifest.get, or ecr.v2.mount.
func (r *Registry) Kind(req *http.Request) string {
	rt := parseRoute(req.URL.Path)
	if rt.kind == "upload" && req.Method == http.MethodPost && req.URL.Query().Get("mount") != "" {
		return "ecr.v2.mount"
	}
	return "ecr.v2." + rt.kind + "." + strings.ToLower(req.Method)
}

// ServeHTTP is the data plane.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	defer drain(req.Body)
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	if !r.authorized(w, req) {
		return
	}
	rt := parseRoute(req.URL.Path)
	if op := rt.operation(req.Method); op != "" && r.denies(op) {
		fail(w, http.StatusForbidden, "DENIED", r.accessDenied(op, r.CallerARN()).message)
		return
	}
	if op := rt.operation(req.Method); op != "" && !r.allow(op) {
		fail(w, http.StatusTooManyRequests, "TOOMANYREQUESTS", "Rate exceeded")
		return
	}
	switch rt.kind {
	case "base":
		w.WriteHeader(http.StatusOK)
	case "catalog":
		r.serveCatalog(w, req)
	case "unknown":
		fail(w, http.StatusNotFound, "UNSUPPORTED", "The operation is unsupported.")
	default:
		repo := r.Repository(rt.name)
		if repo == nil {
			fail(w, http.StatusNotFound, "NAME_UNKNOWN", noRepository(r, rt.name).message)
			return
		}
		repo.serve(w, req, rt)
	}
}

func (p *Repository) serve(w http.ResponseWriter, req *http.Request, rt route) {
	switch rt.kind + " " + req.Method {
	case "manifest GET", "manifest HEAD":
		p.serveManifest(w, req, rt.reference)
	case "manifest PUT":
		p.pushManifest(w, req, rt.reference)
	case "blob GET", "blob HEAD":
		p.serveBlob(w, req, rt.reference)
	case "tags GET":
		p.serveTags(w, req)
	case "referrers GET":
		p.serveReferrers(w, req, rt.reference)
	case "upload POST", "upload PATCH", "upload PUT", "upload GET", "upload DELETE":
		p.serveUpload(w, req, rt.reference)
	default:
		fail(w, http.StatusMethodNotAllowed, "UNSUPPORTED", "The operation is unsupported.")
	}
}

// operation is the API operation that a request counts as. FACTS A2.
func (rt route) operation(method string) string {
	switch rt.kind + " " + method {
	case "manifest GET", "manifest HEAD":
		return "BatchGetImage"
	case "manifest PUT":
		return "PutImage"
	case "blob GET":
		return "GetDownloadUrlForLayer"
	case "blob HEAD":
		return "BatchCheckLayerAvailability"
	case "upload POST":
		return "InitiateLayerUpload"
	case "upload PATCH":
		return "UploadLayerPart"
	case "upload PUT":
		return "CompleteLayerUpload"
	case "tags GET":
		return "ListImages"
	default:
		return ""
	}
}

// authorized checks the Basic credentials and answers for them when they will not do.
func (r *Registry) authorized(w http.ResponseWriter, req *http.Request) bool {
	user, password, ok := req.BasicAuth()
	t, known, valid := r.region.tokenState(password)
	switch {
	case ok && user == "AWS" && valid && !t.mayRead(r.account):
		fail(w, http.StatusForbidden, "DENIED", "User: "+t.principal.ARN+" is not authorized to perform: ecr:BatchGetImage on resource: "+r.arn("*"))
	case ok && user == "AWS" && valid:
		return true
	case ok && user == "AWS" && known:
		fail(w, http.StatusForbidden, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")
	default:
		w.Header().Set("Www-Authenticate", `Basic realm="https://`+r.Host()+`/",service="ecr.amazonaws.com"`)
		http.Error(w, "Not Authorized", http.StatusUnauthorized)
	}
	return false
}

// fail answers with an OCI error.
func fail(w http.ResponseWriter, status int, code, message string) {
	type e struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	body, err := json.Marshal(map[string][]e{"errors": {{code, message}}})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
