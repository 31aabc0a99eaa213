package cli

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudsim/sqssim"
	"transship/internal/cloudsim/store"
)

// queueOf is the queue of the scripts, with its dead letters.
func (w *world) queueOf() *sqssim.Queue {
	sqs := w.sim.SQS(scriptRegion)
	return sqs.CreateQueue(scriptAccount, "transship", sqssim.QueueOptions{
		MaxReceives: 5, DeadLetters: sqs.CreateQueue(scriptAccount, "transship-dead", sqssim.QueueOptions{}),
	})
}

// listen has ECR's events go to the queue.
func (w *world) listen([]string) error {
	w.registry().SetEvents(w.queueOf().Send)
	return nil
}

// message puts a message into the queue.
func (w *world) message(args []string) error {
	w.queueOf().Send(args[0])
	return nil
}

// messages wants so many in the queue.
func (w *world) messages(args []string) error {
	want, err := numbers(args[0])
	if err == nil && w.queueOf().Len() != want[0] {
		err = fmt.Errorf("there are %d messages: %q", w.queueOf().Len(), w.queueOf().Bodies())
	}
	return err
}

// build pushes a new image to ECR, as a pipeline does.
func (w *world) build(args []string) error {
	r := w.registry().CreateRepository(args[0], ecrsim.RepositorySettings{})
	blob := func(mediaType, text string) ocispec.Descriptor {
		r.Content.PutBlob(digest.FromString(text), store.BytesBlob([]byte(text)))
		return ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromString(text), Size: int64(len(text))}
	}
	content := fmt.Sprint(args, len(r.Content.Manifests()))
	body, err := json.Marshal(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: blob(ocispec.MediaTypeImageConfig, fmt.Sprintf(`{"comment":%q}`, content)),
		Layers: []ocispec.Descriptor{blob(ocispec.MediaTypeImageLayer, content)},
	})
	if err != nil {
		return err
	}
	_, err = r.Push(body, ocispec.MediaTypeImageManifest, args[1])
	return err
}

// untag deletes tags in ECR, each with its image where it is the last one.
func (w *world) untag(args []string) error {
	for _, tag := range args[1:] {
		r, d, err := w.image(args[0], tag)
		if err != nil {
			return err
		}
		r.Delete(d, tag)
	}
	return nil
}

// arrived wants the tags of a repository to be at the target, and no others.
func (w *world) arrived(args []string) error {
	image := w.sim.AR().Image(scriptTo + "/" + args[0])
	if image == nil {
		return fmt.Errorf("there is no %s", args[0])
	}
	if got := image.Tags(); !slices.Equal(got, args[1:]) {
		return fmt.Errorf("there are the tags %q", got)
	}
	for _, tag := range args[1:] {
		_, want, err := w.image(args[0], tag)
		if got, _ := image.TagDigest(tag); err == nil && got != want {
			return fmt.Errorf("%s is at %s, and in ECR at %s", tag, got, want)
		}
	}
	return nil
}
