package doctor

import (
	"context"
	"strings"

	"transship/internal/clouds"
	"transship/internal/events"
	"transship/internal/ref"
)

// queue asks whether ECR's events can be taken from a queue. Only reading its attributes changes nothing, so the other
// actions are named and not asked for: receiving would hide messages from the sync.
func (p *patient) queue(ctx context.Context, address events.Address, o clouds.Options) Check {
	name := "queue " + address.Name
	opened, err := clouds.OpenQueue(ctx, address, []ref.Registry{p.Registry}, o)
	if err != nil {
		return explain(name, err)
	}
	parks, err := opened.Look(ctx)
	if err != nil {
		return explain(name, err)
	}
	if !parks {
		return warned(name, "it has no dead-letter queue: messages that cannot be understood come back until their retention ends",
			`give it one: "transship generate events DIR" writes both`)
	}
	return passed(name, "it can be seen; taking events needs "+strings.Join(events.Actions()[:3], ", ")+", too, which cannot be asked for without doing it")
}
