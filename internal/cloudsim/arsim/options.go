package arsim

import (
	"log/slog"
	"net/http"
	"time"
)

// SinglePost is what POST …/blobs/uploads/?digest= with the blob as its body does. FACTS B6 [U]
type SinglePost int

const (
	// SinglePostIgnored answers 202 with a Location, as if neither digest nor body had been there.
	SinglePostIgnored SinglePost = iota
	// SinglePostAccepted stores the blob and answers 201.
	SinglePostAccepted
	// SinglePostRefused answers 400.
	SinglePostRefused
)

// MountRule is what a cross-repository mount needs at the place it mounts from. FACTS B6 [U]
type MountRule int

const (
	// MountNeedsBlob mounts any blob that was uploaded to the source image.
	MountNeedsBlob MountRule = iota
	// MountNeedsManifest mounts a blob only once a manifest of the source image refers to it.
	MountNeedsManifest
	// MountNever answers every mount with 202 and an upload.
	MountNever
)

// BlobScope is where a blob that was pushed is known. FACTS B6 [U]
type BlobScope int

const (
	// BlobsPerImage keeps the blobs of each image path apart.
	BlobsPerImage BlobScope = iota
	// BlobsPerRepository shares them among all images of an Artifact Registry repository.
	BlobsPerRepository
)

// Options are the choices that a Cloud is made with. The zero value is Artifact Registry as documented.
type Options struct {
	// Now is the clock that token expiry, quotas, operations and listing lag go by; nil is time.Now.
	Now func() time.Time
	// Logger gets one debug line per refused request; nil is none.
	Logger *slog.Logger
	// Token is an access token that is always accepted; empty is none.
	Token string
	// ExchangeOnly makes the data plane take nothing but the registry tokens that its token service gives for the other
	// credentials. FACTS B5 has it take those themselves.
	ExchangeOnly bool
	// TokenLifetime is how long a token of the token endpoints lives; 0 is an hour.
	TokenLifetime time.Duration

	// Quotas are the limits per project and location; the zero value is the documented default.
	Quotas Quotas
	// RetryAfter is sent with a 429 as whole seconds; 0 sends none.
	RetryAfter time.Duration
	// RepositoryInterval is the least time between two creations or deletions of repositories in a project; sooner
	// ones are refused with 429. 0 is no limit. An older quota page said 2 s. FACTS B4
	RepositoryInterval time.Duration
	// OperationDelay is how long a long-running operation takes; a repository is not there before. 0 is at once.
	OperationDelay time.Duration

	// Locations are the locations that exist; nil is a list of the real ones.
	Locations []string
	// Projects are the projects that exist; nil is any.
	Projects []string
	// APIDisabled tells for which projects the API is not enabled; nil is none.
	APIDisabled func(project string) bool
	// Deny tells which permissions (such as artifactregistry.repositories.uploadArtifacts) the caller lacks on a
	// project; nil is none.
	Deny func(project, permission string) bool
	// HideMissing answers for a repository that is not there as for one that the caller may not see (403 DENIED).
	HideMissing bool

	// DefaultPageSize is that of listings; 0 is 100. No page is longer than 1,000.
	DefaultPageSize int
	// MaxImageTags caps the tags of each dockerImages.list entry; 0 is no cap. FACTS B3 [U]
	MaxImageTags int
	// MaxRelatedTags caps the tags of each versions.list entry; 0 is 100.
	MaxRelatedTags int
	// ListingLag is how long a listing does not yet show a write. FACTS F [U]
	ListingLag time.Duration

	// SinglePost is what a single-POST upload does.
	SinglePost SinglePost
	// Mount is what a mount needs.
	Mount MountRule
	// MountDeniedStatus answers a mount from a project that the caller may not read; 0 is 202. FACTS F3 [U]
	MountDeniedStatus int
	// Blobs is where a pushed blob is known.
	Blobs BlobScope
	// AbsoluteLocations sends upload Locations as whole URLs rather than as absolute paths.
	AbsoluteLocations bool
	// NoReferrers answers 404 on the referrers API, and no OCI-Subject on a push. FACTS B6 [U]
	NoReferrers bool
	// AnyOrder accepts an index before its children. FACTS F3 [U]
	AnyOrder bool
	// ImmutableRefusesSame refuses a push to an immutable tag even where it has that digest already. FACTS B6 [U]
	ImmutableRefusesSame bool
	// Schema1 is what a signed schema 1 manifest's digest is of.
	Schema1 Schema1Digest
	// NoIndexedBlobs refuses indexes that list layers, such as old build caches. FACTS F3 [U]
	NoIndexedBlobs bool
	// MaxManifestBytes bounds a manifest; 0 is 4 MiB. FACTS F3 [U]
	MaxManifestBytes int64
	// ForgetBlobsOver drops the bytes of larger blobs once their digest is checked, so that a test can push more
	// than memory holds; reading them back fails. 0 keeps all.
	ForgetBlobsOver int64
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.TokenLifetime = orDefault(o.TokenLifetime, time.Hour)
	o.DefaultPageSize = orDefault(o.DefaultPageSize, 100)
	o.MaxRelatedTags = orDefault(o.MaxRelatedTags, 100)
	o.MaxManifestBytes = orDefault(o.MaxManifestBytes, 4<<20)
	o.MountDeniedStatus = orDefault(o.MountDeniedStatus, http.StatusAccepted)
	o.Quotas = o.Quotas.withDefaults()
	if o.Locations == nil {
		o.Locations = defaultLocations()
	}
	return o
}

func orDefault[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}
