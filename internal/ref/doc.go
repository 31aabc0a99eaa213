// Package ref is the language of names: what an image is called in Amazon ECR, what it is called in Artifact
// Registry, and the pure mapping from the one to the other. Everything above parses at its border with this package
// and carries values inside.
//
// Vocabulary: a Registry is one ECR registry (an account in a region); a Repository is a named list of images in it.
// A TargetRepository is one Artifact Registry repository (location, project, id), which holds many images; a
// TargetImage is one of them, known by its path. A Mapping says which TargetImage a Repository becomes.
//
// All types are comparable values, so they serve as map keys, and marshal to the text that people know:
// 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api and us-docker.pkg.dev/my-project/app-images/team/api.
package ref
