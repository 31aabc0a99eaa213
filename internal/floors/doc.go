// Package floors holds no code of the product, only the test that keeps the
// house in order. Packages live on floors, and a package imports only from
// lower floors or from sub-packages of its own room, so that the import graph
// is the way of the data:
//
//	7  cli                                        commands and wiring
//	6  sync  cutover  generate                    compose the stages
//	5  rewrite  report                            files and people
//	4  inventory  content  provision  transfer  verify    act, one thing each
//	3  plan  governance  estimate                 pure
//	2  registry/oci  registry/ecr  registry/gar  events   adapters
//	1  registry  document  document/journal  workspace    port and documents
//	0  ref  markdown                              names and texts
//
// A room is an entry of that table. Sub-packages belong to the room with the
// longest matching path, so transfer/queue needs no entry of its own while
// registry/oci has one because it lives on another floor than registry.
// Beside the floors stand cloudsim, the embedded clouds that only cli and
// tests may use, underrace, which tells tests of the race detector, and this
// package.
//
// To build a new room, give it a floor in rules_test.go and in the table
// above.
package floors
