// Package sqssim is an embedded Amazon SQS: standard queues that speak the JSON protocol of the present SDKs, with
// visibility timeouts, long polling, receive counts and dead-letter queues. A queue gives its messages in no order that one
// could rely on, and a message that is not deleted in time again.
package sqssim
