package document

// share makes a string the one before it, where both are the same: each that is read otherwise takes memory of its own.
func share[T ~string](s *T, before T) {
	if *s == before {
		*s = before
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
