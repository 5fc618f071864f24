# All targets work on a machine with Go, Node, git and make. Other tools are built once
# from pinned sources (see tools/README.md).

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
RELEASE_FLAGS := -trimpath -ldflags "-s -w -X main.version=$(VERSION)"
TEST_TIMEOUT ?= 45m
FUZZTIME ?= 20s
SEED ?=
FOR ?= 1m
STORE ?= vault
# The version of the next release.
NEXT_VERSION := $(shell awk '/^\#\# [0-9]/ { print $$2; exit }' CHANGELOG.md)
WORKFLOWS := $(wildcard .github/workflows/*.yml examples/workflows/*.yml) examples/consumers/vault-action.yml

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: provider-binary action-binary ## build the provider and the action into bin/

.PHONY: provider-binary
provider-binary:
	@echo 'building bin/terraform-provider-paistrike (a minute the first time)'
	@CGO_ENABLED=0 go build $(RELEASE_FLAGS) -o bin/terraform-provider-paistrike .

.PHONY: action-binary
action-binary:
	@echo 'building bin/paistrike-action'
	@CGO_ENABLED=0 go build $(RELEASE_FLAGS) -o bin/paistrike-action ./action
	@cd bin && if command -v sha256sum >/dev/null; then sha256sum paistrike-action; else shasum -a 256 paistrike-action; fi >paistrike-action.sha256

.PHONY: tools
tools: ## build the programs that demo and tests use into .tools/, once
	@tools/build kv secretsmanager act vault tofu opa

.PHONY: demo
demo: provider-binary ## show the lifecycle of a token on this machine: create, rotate, revoke (STORE=aws for AWS)
	@tools/build kv secretsmanager
	@tools/cli >/dev/null || tools/build tofu
	go run ./examples/quickstart -store $(STORE)

# OVERRIDES=1 runs the provider from bin/ without `terraform init`, for developers of the provider.
.PHONY: sandbox
sandbox: provider-binary ## run a PAIStrike, a Vault and an AWS Secrets Manager on loopback
	@tools/build kv secretsmanager
	@go build -o bin/sandbox ./examples/sandbox
	@exec bin/sandbox -listen 127.0.0.1:8765 -vault-listen 127.0.0.1:8210 -aws-listen 127.0.0.1:8220 -env-file .sandbox.env -cli-config .sandbox.tfrc -provider-version $(NEXT_VERSION) $(if $(OVERRIDES),-dev-overrides)

# The last line is the proof line, with the numbers that the tests counted.
.PHONY: test
test: build testtools ## run all tests, with real Terraform, Vault and workflow runs
	cd tools/loopback && go vet ./... && go test ./...
	cd tools/kv && go vet ./... && go test ./...
	cd tools/secretsmanager && go vet ./... && go test ./...
	go run ./internal/proof/run -race
	TF_CLIS="$${TF_CLIS:-$$(tools/cli)}" go run ./internal/proof/run go test -timeout $(TEST_TIMEOUT) ./...

.PHONY: proof
proof: ## check the guarantees of the reliability guide (several minutes)
	@tools/build kv
	@tools/cli >/dev/null || tools/build tofu
	@TF_CLIS="$${TF_CLIS:-$$(tools/cli)}" go run ./internal/proof/run

.PHONY: chaos
chaos: ## inject faults, false responses and neighbors at random (SEED=7 FOR=1m; without SEED, a random one)
	@go run ./internal/proof/run -chaos "$(SEED)" "$(FOR)"

# Go fuzzes one function at a time; awk pairs each with its package.
.PHONY: fuzz
fuzz: ## fuzz every parser and decision, FUZZTIME (20s) each
	@found=$$(go test -list '^Fuzz' ./...) || { echo "$$found"; exit 1; }; \
	echo "$$found" | awk '/^Fuzz/ { names[++n] = $$1 } /^ok/ { for (i = 1; i <= n; i++) print names[i], $$2; n = 0 }' | \
	while read -r name package; do \
		echo "$$name of $$package"; \
		go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null || exit 1; \
	done

# Vault and the CLI on PATH are sufficient, but a CI run uses pinned versions of all programs.
.PHONY: testtools
testtools:
	@tools/build kv secretsmanager act
	@tools/axe-core >/dev/null || [ "$$CI" != true ]
	@tools/node24 >/dev/null || [ "$$CI" != true ]
	@[ "$$CI" != true ] && command -v vault >/dev/null || tools/build vault
	@[ "$$CI" != true ] && tools/cli >/dev/null || tools/build tofu
	@[ "$$CI" != true ] || tools/build opa

.PHONY: lint
lint: ## check style, vet, workflows and go.mod
	@tools/build lint actionlint
	.tools/lint run
	cd tools/loopback && ../../.tools/lint run
	cd tools/kv && ../../.tools/lint run
	cd tools/secretsmanager && ../../.tools/lint run
	cd tools/image && ../../.tools/lint run
	$(if $(WORKFLOWS),.tools/actionlint $(WORKFLOWS))
	go mod tidy -diff

.PHONY: generate
generate: ## format the examples and write docs/
	tools/generate

.PHONY: release-check
release-check: ## rehearse a release: build it twice, compare, install, and apply
	tools/release-check

.PHONY: bench
bench: ## measure time, memory, and requests per token
	@tools/build kv time
	@tools/cli >/dev/null || tools/build tofu
	go run ./internal/bench

.PHONY: check
check: lint ## run lint, check generated docs, run all tests
	tools/generate --check
	$(MAKE) test
