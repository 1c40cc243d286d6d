# Everything here runs offline, but for a Go module mirror where modules are not in Go's cache yet.
STACK   ?= dev
PLUGINS ?= builtin
# For `go test`, such as TESTFLAGS='-run TestName'; PACKAGES are those to test. What takes longest begins first, so that
# the rest runs beside it.
TESTFLAGS ?=
# How many packages are tested at a time: one more than there are processors, as tests of servers wait half of the time.
PARALLEL  ?= $(shell expr $$(nproc 2>/dev/null || echo 2) + 1)
PACKAGES  ?= ./tests/integration ./components/storage/valkey ./components/identity ./...

# Where make test leaves what happened, event by event.
TEST_LOG := .cache/test.json
# Modules of pinned tools with programs of our own, which `./...` does not reach. That of Traefik has none: what is below it is
# a module of its own.
TOOL_MODULES := $(filter-out traefik,$(sort $(foreach file,$(wildcard tools/*/*.go tools/*/*/*.go),$(word 2,$(subst /, ,$(file))))))
# As tools are built, so that vetting finds their dependencies compiled.
TOOL_VET := CGO_ENABLED=0 GOWORK=off GOFLAGS=-mod=readonly go vet -trimpath

.DEFAULT_GOAL := help
.PHONY: help tools build lint test e2e up down docs

help: ## show this
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

tools: ## build the pinned programs of Go modules that are missing, into a cache outside the clone
	@go run ./cmd/tools build

build: ## build bin/platform
	@go build -o bin/platform ./cmd/platform

up: build ## bring STACK (dev) up on a local control plane
	@bin/platform up --stack $(STACK) --local

down: build ## remove the local control plane and all that is on it
	@bin/platform local stop

test: ## run all tests but e2e; PLUGINS=published runs them with the published plugins
	@case "$(PLUGINS)" in builtin | published) ;; *) echo "make test: PLUGINS=$(PLUGINS): allowed are builtin and published" >&2; exit 2 ;; esac
	@# Whether the published plugins can be had shows in seconds, and everything else takes minutes.
	@test "$(PLUGINS)" = builtin || PLUGINS=$(PLUGINS) go test -count 1 -run '^$$' ./tests/integration
	@go run ./cmd/tools build --all
	@mkdir -p $(dir $(TEST_LOG))
	@PLUGINS=$(PLUGINS) "$$(go run ./cmd/tools path gotestsum)" --format pkgname --jsonfile $(TEST_LOG) \
		-- -timeout 60m -p $(PARALLEL) $(TESTFLAGS) $(PACKAGES)

e2e: ## bring STACK up on the cluster of KUBECONFIG, with VALUES (a file) over its own, check it and destroy it
	@test -n "$$KUBECONFIG" || { echo "make e2e: set KUBECONFIG to the kubeconfig of a cluster that may be changed" >&2; exit 2; }
	@go test -tags e2e -count 1 -timeout 60m -v ./tests/e2e/... -args -stack $(STACK) $(if $(VALUES),-values $(abspath $(VALUES)))

lint: ## check formatting, vet, staticcheck, workflows, and that generated files are fresh
	@unformatted="$$(gofmt -l .)"; test -z "$$unformatted" || { echo "not formatted with gofmt:" $$unformatted >&2; exit 1; }
	@go vet -tags e2e ./...
	@for module in $(TOOL_MODULES); do (cd tools/$$module && $(TOOL_VET) ./...) || exit 1; done
	@"$$(go run ./cmd/tools path staticcheck)" -tags e2e ./...
	@"$$(go run ./cmd/tools path actionlint)" -shellcheck= -pyflakes=
	@for script in .ci/run ci/*.sh; do bash -n "$$script" || exit 1; done
	@go run ./cmd/docs --check

docs: ## write what is generated anew: configuration reference, JSON Schema, network policies, picture of the architecture
	@go run ./cmd/docs
