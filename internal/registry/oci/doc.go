// Package oci is the data plane: a client for the seven endpoints of the registry protocol that a migration needs, made
// so that every request is one that is needed.
//
// Vocabulary: a Client talks to one host on one side; a name is the registry protocol's name of an image path
// (team/api, or PROJECT/REPOSITORY/team/api); a reference is a tag or a digest; an exchange is one request with its
// answer, redirects included; a try is the exchanges of one attempt at an operation; an Upload is where a registry
// wants a blob's bytes; an Opener gives those bytes, from their beginning, as often as it is asked.
//
//	Manifest, HeadManifest, PutManifest ─┐
//	HeadBlob, OpenBlob                   ├─ do (tries) ─ exchange ─ governor.Slot ─ Authorizer ─ http.RoundTripper
//	MountBlob, PushBlob                  ┘                  └─ redirects: the credential stays with its host, and each
//	                                                           request takes a slot of the host that it goes to
//
// What it promises:
//   - The Authorization header goes to the Client's own host, over https, and nowhere else: not where a redirect or an
//     upload's Location points. Nothing goes over plain HTTP.
//   - A redirect to another host (ECR's to S3) gives the registry's slot back before one of that host is taken: bytes
//     that stream hold nothing of the registry's, and what one of the two hosts refuses slows down that one alone.
//   - One owner of retries (governor.Do), which holds no slot while it waits. An operation is given up when it had no
//     success for the horizon.
//   - A blob's reader goes on where a connection broke, and keeps the last byte back until digest and size are right,
//     so that wrong bytes can never complete an upload.
//   - An upload starts again from a new reader and a new session, never from a half-read stream.
//   - Errors are *registry.Error, with outside text cleaned and bounded and without credentials or signed queries.
package oci
