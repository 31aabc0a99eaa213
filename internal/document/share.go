package document

// share makes a string the one before it, where both are the same: each that is read otherwise takes memory of its own.
func share[T ~string](s *T, before T) {
	if *s == before {
		*s = before
	}
}

// Strings are strings that are in memory already.
type Strings map[string]string

// once returns the first string that is equal to s.
func once[T ~string](known Strings, s T) T {
	if first, ok := known[string(s)]; ok {
		return T(first)
	}
	known[string(s)] = string(s)
	return s
}

// Share takes the digests of blobs and what else manifests name again and again from those known, and adds what is new.
func (e *ContentEntry) Share(known Strings) {
	e.MediaType = once(known, e.MediaType)
	e.ArtifactType = once(known, e.ArtifactType)
	for n, b := range e.Blobs {
		e.Blobs[n].Digest = once(known, b.Digest)
	}
}

// Share takes over from the image before i what both have in common, so that it is in memory once.
func (i *SourceImage) Share(before *SourceImage) {
	if i.URI == before.URI {
		i.URI, i.Name = before.URI, before.Name
	}
	share(&i.MediaType, before.MediaType)
	share(&i.ArtifactType, before.ArtifactType)
	share(&i.Status, before.Status)
}

// Share takes over from the image before i what both have in common, so that it is in memory once.
func (i *TargetImage) Share(before *TargetImage) {
	if i.URI == before.URI {
		i.URI = before.URI
	}
	share(&i.MediaType, before.MediaType)
	share(&i.ArtifactType, before.ArtifactType)
}

func (i *SourceImage) share(before any)     { i.Share(before.(*SourceImage)) }
func (i *TargetImage) share(before any)     { i.Share(before.(*TargetImage)) }
func (m *PlannedManifest) share(before any) { share(&m.MediaType, before.(*PlannedManifest).MediaType) }
