# Every target is one or two commands; .ci/run does what must pass and does
# not need make.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)

# Without a version on the command line the binary tells what the go command
# recorded (debug.ReadBuildInfo): module version, commit, date.
LDFLAGS := $(if $(VERSION),-X transship/internal/cli.version=$(VERSION))

LINTER := go tool -modfile=tools/go.mod golangci-lint

.DEFAULT_GOAL := help
.PHONY: help build test race lint fmt e2e bench fuzz release demo ci clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## /{printf "  %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/transship, stamped with version and commit
	go build -trimpath -buildvcs=auto -ldflags '$(LDFLAGS)' -o bin/transship ./cmd/transship

test: ## Run the tests
	go test ./...

race: ## Run the tests under the race detector
	go test -race ./...

lint: ## Run go vet and golangci-lint (the first run builds it: minutes)
	go vet ./...
	$(LINTER) run ./...
	cd e2e && go vet ./... && go tool -modfile=../tools/go.mod golangci-lint run ./...
	cd bench && go vet ./... && go tool -modfile=../tools/go.mod golangci-lint run ./...
	cd release && go vet ./... && go tool -modfile=../tools/go.mod golangci-lint run ./...

fmt: ## Format all Go files
	gofmt -w -s cmd internal e2e bench release

e2e: build ## Test the binary against a real registry
	cd e2e && go build -o ../bin/crane github.com/google/go-containerregistry/cmd/crane
	cd e2e && PATH="$(CURDIR)/bin:$$PATH" TRANSSHIP_BIN="$(CURDIR)/bin/transship" go test -count=1 ./...

bench: ## Measure Transship beside its peers and a bare minimum (an hour)
	go -C bench run .

fuzz: ## Run every fuzz target for some seconds each (FUZZTIME=2s)
	.ci/fuzz

release: ## Build dist/: archives for six platforms, checksums and an SBOM
	go -C release run . $(if $(VERSION),-version '$(VERSION)')

demo: ## Watch a whole migration on embedded clouds
	go run ./cmd/transship demo

ci: ## Run everything that must pass before a merge
	.ci/run

clean: ## Remove what the targets above made
	rm -rf bin dist bench/.bin
