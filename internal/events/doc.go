// Package events is the adapter of the queue that brings ECR's events: EventBridge messages in an Amazon SQS queue. It alone
// imports the SDK of SQS.
//
// Vocabulary: an event says that something happened to an image at the source; a message is what brings it, again and
// again until it is deleted. A message is parked when it cannot be understood: it is left in the queue, whose dead-letter
// queue takes it in the end.
//
//	ECR ─ EventBridge rule ─→ SQS ─ Receive ─→ Message{Event} ─→ Delete once its image is at the target
//
// EventBridge delivers at its best effort, in any order and sometimes twice. FACTS D [D]. So an event is never more than a
// reason to look: what is there now, ECR says.
package events
