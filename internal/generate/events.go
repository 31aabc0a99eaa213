package generate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"transship/internal/events"
	"transship/internal/ref"
)

// eventsName is what the queue and all around it are called, in each account and region.
const eventsName = "transship-ecr-events"

const eventsAbout = `# ECR's events for "transship sync --events": what is pushed to a source goes
# from EventBridge into a queue. Events are best effort; the sync's own listing
# of both sides is the safety net.
`

const providersAbout = `# One provider a registry, for the queue has to be where the registry is. Each
# refuses another account than its own. Say how to sign in to which account in
# the variable, or by the environment where there is one account.
`

// Events returns what takes the events of the sources to a queue in each account and region, as Terraform: the rule, the
// queue, its policy and its dead-letter queue, and what the reader may do with it. FACTS D.
func (m Migration) Events() []File {
	events, providers := hclwrite.NewEmptyFile(), hclwrite.NewEmptyFile()
	eventProviders(providers.Body())
	var registries []ref.Registry
	outputs := map[string]hclwrite.Tokens{}
	for _, s := range m.Sources {
		if slices.Contains(registries, s.Registry) {
			continue
		}
		registries = append(registries, s.Registry)
	}
	slices.SortFunc(registries, ref.Registry.Compare)
	for _, r := range registries {
		e := eventsOf{registry: r, body: events.Body(), id: identifierOf(r)}
		e.provider(providers.Body())
		e.queues()
		e.rule()
		e.policies()
		e.reader(m)
		outputs[r.Host()] = reference("aws_sqs_queue", e.id, "url")
	}
	events.Body().AppendNewline()
	comment(events.Body(), "For transship sync, one --events each.")
	events.Body().AppendNewBlock("output", []string{"transship_events"}).Body().SetAttributeRaw("value", object(registries, outputs))
	return []File{
		hclFile("events", "ecr-events.tf", eventsAbout, events),
		hclFile("events", "ecr-events-providers.tf", providersAbout, providers),
	}
}

// eventProviders says which provider understands the rest, and how it signs in.
func eventProviders(to *hclwrite.Body) {
	to.AppendNewline()
	body := to.AppendNewBlock("terraform", nil).Body()
	body.SetAttributeValue("required_version", cty.StringVal(">= 1.5"))
	body.AppendNewline()
	body.AppendNewBlock("required_providers", nil).Body().SetAttributeValue("aws", cty.ObjectVal(map[string]cty.Value{
		"source": cty.StringVal("hashicorp/aws"), "version": cty.StringVal(">= 5.0"),
	}))
	to.AppendNewline()
	body = to.AppendNewBlock("variable", []string{"transship_aws_profiles"}).Body()
	body.SetAttributeValue("description", cty.StringVal("Profile of the AWS configuration for each account: { \"123456789012\" = \"production\" }"))
	body.SetAttributeRaw("type", raw("map(string)"))
	body.SetAttributeValue("default", cty.EmptyObjectVal)
}

// eventsOf writes what belongs to one registry.
type eventsOf struct {
	registry ref.Registry
	body     *hclwrite.Body
	id       string // of everything, in Terraform
}

func identifierOf(r ref.Registry) string {
	return "transship_" + r.Account + "_" + identifier(r.Region)
}

// resource begins a resource in the registry's account and region.
func (e eventsOf) resource(kind, id string) *hclwrite.Body {
	e.body.AppendNewline()
	body := e.body.AppendNewBlock("resource", []string{kind, id}).Body()
	body.SetAttributeRaw("provider", reference("aws", e.id))
	return body
}

func (e eventsOf) provider(to *hclwrite.Body) {
	to.AppendNewline()
	body := to.AppendNewBlock("provider", []string{"aws"}).Body()
	body.SetAttributeValue("alias", cty.StringVal(e.id))
	body.SetAttributeValue("region", cty.StringVal(e.registry.Region))
	body.SetAttributeValue("allowed_account_ids", cty.TupleVal([]cty.Value{cty.StringVal(e.registry.Account)}))
	body.SetAttributeRaw("profile", raw(fmt.Sprintf("lookup(var.transship_aws_profiles, %q, null)", e.registry.Account)))
}

// dead is the id of the dead-letter queue.
func (e eventsOf) dead() string { return e.id + "_dead" }

// queues are the queue, and the one for what cannot be delivered or handled.
func (e eventsOf) queues() {
	e.body.AppendNewline()
	comment(e.body, e.registry.Host())
	body := e.body.AppendNewBlock("resource", []string{"aws_sqs_queue", e.id}).Body()
	body.SetAttributeRaw("provider", reference("aws", e.id))
	body.SetAttributeValue("name", cty.StringVal(eventsName))
	comment(body, "For a sync that stands still over a long weekend; the most that there is.")
	body.SetAttributeValue("message_retention_seconds", cty.NumberIntVal(1209600))
	comment(body, "How long a message is hidden from others; transship extends it while it copies.")
	body.SetAttributeValue("visibility_timeout_seconds", cty.NumberIntVal(300))
	body.SetAttributeValue("receive_wait_time_seconds", cty.NumberIntVal(20))
	body.SetAttributeValue("sqs_managed_sse_enabled", cty.True)
	body.SetAttributeRaw("redrive_policy", raw("jsonencode({\n"+
		"    deadLetterTargetArn = aws_sqs_queue."+e.dead()+".arn\n"+
		"    maxReceiveCount = 10\n  })"))

	body = e.resource("aws_sqs_queue", e.dead())
	body.SetAttributeValue("name", cty.StringVal(eventsName+"-dead"))
	body.SetAttributeValue("message_retention_seconds", cty.NumberIntVal(1209600))
	body.SetAttributeValue("sqs_managed_sse_enabled", cty.True)

	body = e.resource("aws_sqs_queue_redrive_allow_policy", e.dead())
	body.SetAttributeRaw("queue_url", reference("aws_sqs_queue", e.dead(), "url"))
	body.SetAttributeRaw("redrive_allow_policy", raw("jsonencode({\n"+
		"    redrivePermission = \"byQueue\"\n"+
		"    sourceQueueArns = [aws_sqs_queue."+e.id+".arn]\n  })"))
}

// rule takes the events to the queue.
func (e eventsOf) rule() {
	body := e.resource("aws_cloudwatch_event_rule", e.id)
	body.SetAttributeValue("name", cty.StringVal(eventsName))
	body.SetAttributeValue("description", cty.StringVal("Pushes, deletions, replication and archiving in ECR, for transship sync"))
	body.SetAttributeRaw("event_pattern", raw("jsonencode({\n"+
		"    source = [\"aws.ecr\"]\n"+
		"    detail-type = [\"ECR Image Action\", \"ECR Replication Action\"]\n"+
		"    detail = {\n      result = [\"SUCCESS\"]\n    }\n  })"))

	body = e.resource("aws_cloudwatch_event_target", e.id)
	body.SetAttributeRaw("rule", reference("aws_cloudwatch_event_rule", e.id, "name"))
	body.SetAttributeValue("target_id", cty.StringVal(eventsName))
	body.SetAttributeRaw("arn", reference("aws_sqs_queue", e.id, "arn"))
	inner(body, "dead_letter_config").SetAttributeRaw("arn", reference("aws_sqs_queue", e.dead(), "arn"))
}

// policies let EventBridge, for this rule and no other, put messages into both queues.
func (e eventsOf) policies() {
	for _, queue := range []string{e.id, e.dead()} {
		body := e.resource("aws_sqs_queue_policy", queue)
		body.SetAttributeRaw("queue_url", reference("aws_sqs_queue", queue, "url"))
		body.SetAttributeRaw("policy", raw("jsonencode({\n"+
			"    Version = \""+policyVersion+"\"\n"+
			"    Statement = [{\n"+
			"      Sid = \"EventBridge\"\n"+
			"      Effect = \"Allow\"\n"+
			"      Principal = { Service = \"events.amazonaws.com\" }\n"+
			"      Action = \"sqs:SendMessage\"\n"+
			"      Resource = aws_sqs_queue."+queue+".arn\n"+
			"      Condition = {\n"+
			"        ArnEquals = { \"aws:SourceArn\" = aws_cloudwatch_event_rule."+e.id+".arn }\n"+
			"      }\n    }]\n  })"))
	}
}

// reader is what transship may do with the queue, for the role that reads the registry where the migration names one.
func (e eventsOf) reader(m Migration) {
	var roles []string
	for _, s := range m.Sources {
		if s.Registry == e.registry && s.RoleARN != "" {
			roles = append(roles, s.RoleARN[strings.LastIndexByte(s.RoleARN, '/')+1:])
		}
	}
	e.body.AppendNewline()
	if len(roles) == 0 {
		comment(e.body, "Attach it to whoever runs the sync.")
	}
	body := e.body.AppendNewBlock("resource", []string{"aws_iam_policy", e.id}).Body()
	body.SetAttributeRaw("provider", reference("aws", e.id))
	body.SetAttributeValue("name", cty.StringVal(eventsName+"-"+e.registry.Region))
	body.SetAttributeValue("description", cty.StringVal("Take ECR's events from the queue, for transship sync"))
	body.SetAttributeRaw("policy", raw("jsonencode({\n"+
		"    Version = \""+policyVersion+"\"\n"+
		"    Statement = [{\n"+
		"      Sid = \"TransshipEvents\"\n"+
		"      Effect = \"Allow\"\n"+
		"      Action = [\""+strings.Join(events.Actions(), "\", \"")+"\"]\n"+
		"      Resource = aws_sqs_queue."+e.id+".arn\n"+
		"    }]\n  })"))
	for _, r := range slices.Compact(slices.Sorted(slices.Values(roles))) {
		body := e.resource("aws_iam_role_policy_attachment", e.id+"__"+identifier(r))
		body.SetAttributeValue("role", cty.StringVal(r))
		body.SetAttributeRaw("policy_arn", reference("aws_iam_policy", e.id, "arn"))
	}
}

// raw is an expression of HCL; everything in it is ours.
func raw(expression string) hclwrite.Tokens {
	return hclwrite.Tokens{{Type: hclsyntax.TokenIdent, Bytes: []byte(expression)}}
}

// object is one that has an expression for each registry.
func object(keys []ref.Registry, values map[string]hclwrite.Tokens) hclwrite.Tokens {
	var b strings.Builder
	b.WriteString("{\n")
	for _, k := range keys {
		fmt.Fprintf(&b, "    %q = %s\n", k.Host(), values[k.Host()].Bytes())
	}
	b.WriteString("  }")
	return raw(b.String())
}
