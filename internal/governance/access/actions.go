package access

import (
	"math/bits"
	"slices"
	"strings"
)

// The roles that are suggested, from the least. roles/artifactregistry.admin is never suggested: it lets its holder change the
// settings and the permissions of everything that was mapped into one repository, and no statement about one ECR
// repository means that.
const (
	RoleReader    = "roles/artifactregistry.reader"
	RoleWriter    = "roles/artifactregistry.writer"
	RoleRepoAdmin = "roles/artifactregistry.repoAdmin"
)

// ladder are the roles, from the least. Each lets its holder do what the one before it does.
var ladder = [...]string{RoleReader, RoleWriter, RoleRepoAdmin}

// power is what one can do with images. Each rung of the ladder adds one.
type power uint8

const (
	pull power = 1 << iota
	push
	remove
)

// powers are what ladder[i] lets its holder do.
func powers(rung int) power { return 1<<(rung+1) - 1 }

func (p power) String() string {
	var words []string
	for i, word := range [...]string{"pull", "push", "delete"} {
		if p&(1<<i) != 0 {
			words = append(words, word)
		}
	}
	return strings.Join(words, " and ")
}

// class is what an action of ECR comes to in Artifact Registry.
type class uint8

const (
	reads     class = iota // a reader may do it: rung 0
	writes                 // a writer: rung 1
	deletes                // a repository's administrator: rung 2
	manages                // it changes the repository or who may do what: for review, never suggested
	registers              // it is about the registry as a whole
	creates                // it creates repositories
	imports                // it fills a repository from another registry
	copies                 // replication brings images
	nothing                // Artifact Registry has nothing that would need it
)

// action is one of ECR's.
type action struct {
	name  string
	class class
}

// known are the actions of ECR. FACTS C3 has the ladder; the names are those of the SDK [S] and the two that no operation
// has. Those of the ladder stand first: their places are the bits of a set.
var known = [...]action{
	{"BatchCheckLayerAvailability", reads}, {"BatchGetImage", reads}, {"GetDownloadUrlForLayer", reads},
	{"DescribeImageReplicationStatus", reads}, {"DescribeImageScanFindings", reads}, {"DescribeImageSigningStatus", reads},
	{"DescribeImages", reads}, {"DescribeRepositories", reads}, {"ListImageReferrers", reads}, {"ListImages", reads},
	{"ListTagsForResource", reads}, {"BatchGetRepositoryScanningConfiguration", reads}, {"GetLifecyclePolicy", reads},
	{"GetLifecyclePolicyPreview", reads},
	{"CompleteLayerUpload", writes}, {"InitiateLayerUpload", writes}, {"PutImage", writes}, {"UploadLayerPart", writes},
	{"BatchDeleteImage", deletes},

	{"DeleteLifecyclePolicy", manages}, {"DeleteRepository", manages}, {"DeleteRepositoryPolicy", manages},
	{"PutImageScanningConfiguration", manages}, {"PutImageTagMutability", manages}, {"PutLifecyclePolicy", manages},
	{"SetRepositoryPolicy", manages}, {"TagResource", manages}, {"UntagResource", manages},

	{"CreateRepository", creates}, {"BatchImportUpstreamImage", imports}, {"ReplicateImage", copies},

	{"GetAuthorizationToken", nothing}, {"GetRepositoryPolicy", nothing}, {"StartImageScan", nothing},
	{"StartLifecyclePolicyPreview", nothing}, {"UpdateImageStorageClass", nothing},

	{"CreatePullThroughCacheRule", registers}, {"CreateRepositoryCreationTemplate", registers}, {"DeletePullThroughCacheRule", registers},
	{"DeleteRegistryPolicy", registers}, {"DeleteRepositoryCreationTemplate", registers}, {"DeleteSigningConfiguration", registers},
	{"DeregisterPullTimeUpdateExclusion", registers}, {"DescribePullThroughCacheRules", registers}, {"DescribeRegistry", registers},
	{"DescribeReplicationBackfillResults", registers}, {"DescribeRepositoryCreationTemplates", registers}, {"GetAccountSetting", registers},
	{"GetRegistryPolicy", registers}, {"GetRegistryScanningConfiguration", registers}, {"GetSigningConfiguration", registers},
	{"ListPullTimeUpdateExclusions", registers}, {"ListReplicationBackfills", registers}, {"PutAccountSetting", registers},
	{"PutRegistryPolicy", registers}, {"PutRegistryScanningConfiguration", registers}, {"PutReplicationConfiguration", registers},
	{"PutSigningConfiguration", registers}, {"RegisterPullTimeUpdateExclusion", registers}, {"StartReplicationBackfill", registers},
	{"StopReplicationBackfill", registers}, {"UpdatePullThroughCacheRule", registers}, {"UpdateRepositoryCreationTemplate", registers},
	{"ValidatePullThroughCacheRule", registers},
}

// set is a set of the actions of the ladder, by their places in known.
type set uint32

// The actions that each power needs. A pull reads manifests and layers, a push writes both. FACTS A2, C3.
var (
	pulling  = setOf("BatchGetImage", "GetDownloadUrlForLayer")
	pushing  = setOf("InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage")
	removing = setOf("BatchDeleteImage")
)

func setOf(names ...string) (s set) {
	for i, a := range known {
		if slices.Contains(names, a.name) {
			s |= 1 << i
		}
	}
	return s
}

// within are the actions that a role of the ladder lets its holder do.
func within(rung int) (s set) {
	for i, a := range known {
		if a.class <= class(rung) {
			s |= 1 << i
		}
	}
	return s
}

// powers are what somebody can do who may do exactly what is in s.
func (s set) powers() (p power) {
	for i, need := range [...]set{pulling, pushing, removing} {
		if s&need == need {
			p |= 1 << i
		}
	}
	return p
}

// rung is the place in the ladder of the role that s needs; -1 for none.
func (s set) rung() int {
	rung := -1
	for s := uint32(s); s != 0; s &= s - 1 {
		rung = max(rung, int(known[bits.TrailingZeros32(s)].class))
	}
	return rung
}

// names are the actions in s, sorted.
func (s set) names() (out []string) {
	for s := uint32(s); s != 0; s &= s - 1 {
		out = append(out, "ecr:"+known[bits.TrailingZeros32(s)].name)
	}
	slices.Sort(out)
	return out
}

// meaning is what the Action element of a statement comes to.
type meaning struct {
	set     set                // what the ladder has
	named   map[class][]string // the others, by what they come to, which are named without a wildcard
	wild    map[class][]string // likewise, which only a wildcard covers
	unknown []string           // what no action of ECR is known by
}

// read finds the actions that patterns cover. Upper and lower case are the same in actions.
func read(patterns []string) meaning {
	m := meaning{named: map[class][]string{}, wild: map[class][]string{}}
	seen := map[int]bool{}
	for _, literal := range []bool{true, false} {
		for _, pattern := range patterns {
			if literal == strings.ContainsAny(pattern, "*?") {
				continue
			}
			found := false
			for i, a := range known {
				if pattern != "*" && !wild(strings.ToLower(pattern), strings.ToLower("ecr:"+a.name)) {
					continue
				}
				found = true
				switch {
				case seen[i]:
				case a.class <= deletes:
					m.set |= 1 << i
				case literal:
					m.named[a.class] = append(m.named[a.class], "ecr:"+a.name)
				default:
					m.wild[a.class] = append(m.wild[a.class], "ecr:"+a.name)
				}
				seen[i] = true
			}
			if !found {
				m.unknown = append(m.unknown, pattern)
			}
		}
	}
	return m
}
