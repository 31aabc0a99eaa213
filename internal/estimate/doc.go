// Package estimate says what a plan will cost: bytes, requests, time and money. It is pure: everything follows from the
// plan, the inventory, a table of prices and a bandwidth, and what is assumed is said in sentences.
package estimate
