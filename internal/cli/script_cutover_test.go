package cli

import (
	"time"

	"transship/internal/cloudsim/iamsim"
)

// scriptMigrator is who the key of the scripts belongs to.
const scriptMigrator = "arn:aws:iam::" + scriptAccount + ":user/migrator"

// pulled has an image pulled from ECR.
func (w *world) pulled(args []string) error {
	ago, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	r, d, err := w.image(args[0], args[1])
	if err == nil {
		r.SetPulledAt(d, time.Now().Add(-ago))
	}
	return err
}

// aged makes all that is in ECR so old.
func (w *world) aged(args []string) error {
	ago, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	at := time.Now().Add(-ago)
	for _, r := range w.registry().Repositories() {
		for _, m := range r.Content.Manifests() {
			r.SetPushedAt(m.Digest, at)
			r.SetPulledAt(m.Digest, at)
		}
	}
	return nil
}

// excludePulls keeps the migration's pulls out of ECR's records.
func (w *world) excludePulls([]string) error {
	w.registry().ExcludePulls(scriptMigrator)
	return nil
}

// nodes makes a service account.
func (w *world) nodes(args []string) error {
	s := iamsim.ServiceAccount{Email: args[0]}
	if len(args) > 1 {
		s.Actors = args[1:]
	}
	w.sim.Google().AddServiceAccount(s)
	return nil
}
