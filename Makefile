# Everything that one does with Commons. "make" alone shows it. Needs Go; what else a target needs, it says when it is missing.

GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
FUZZTIME ?= 10s
TESTFLAGS ?=
QUERYFLAGS ?=
FANOUTFLAGS ?= -sockets 500,2000,10000
ROUNDS ?= 10

LINT_VERSION := 2.15.0
VULN_VERSION := 1.9.0

# The version comes from git describe above; Go's own stamp would need a clean, trusted repository.
export GOFLAGS := $(filter-out -buildvcs=%,$(GOFLAGS)) -buildvcs=false

.DEFAULT_GOAL := help
.PHONY: help run build test check bench crash generate fuzz clean explorer commons withpostgres check-race check-node check-generated check-format check-modules check-vulnerabilities lint vet

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: commons ## build, and serve with demo data at http://127.0.0.1:8080 (Ctrl-C drains)
	@COMMONS_DEMO=$${COMMONS_DEMO:-on} exec bin/commons serve

build: commons ## bin/commons, one static binary

commons: explorer
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/commons ./cmd/commons

# ---------------------------------------------------------------------------------------------------------------- tests

test: check-race check-node explorer withpostgres ## the whole suite under the race detector, on SQLite and PostgreSQL
	bin/withpostgres $(GO) test -race -timeout 32m $(TESTFLAGS) ./...

bench: withpostgres commons ## benchmarks with their peers, as ratios; on Linux pages (QUERYFLAGS, 10 min) and fan-out (FANOUTFLAGS, 15 min) too
	bin/withpostgres $(GO) test -run '^$$' -bench . -benchmem -timeout 60m $(TESTFLAGS) ./...
	@if [ "$$($(GO) env GOOS)" = linux ]; then \
		$(GO) build -o bin/queries ./internal/apitest/queries && bin/queries $(QUERYFLAGS) && \
		$(GO) build -o bin/fanout ./internal/apitest/fanout && bin/fanout $(FANOUTFLAGS) && bin/fanout -scenario threads; \
	else echo 'The benchmarks of pages and of fan-out need Linux.' >&2; fi

crash: commons ## kill servers and PostgreSQL at random moments under load (ROUNDS=10)
	@$(GO) build -o bin/crash ./internal/apitest/crash
	bin/crash -rounds $(ROUNDS)
	bin/crash -rounds $(ROUNDS) -database postgres
	bin/crash -rounds $(ROUNDS) -database postgres -replicas 2
	bin/crash -rounds $(ROUNDS) -database postgres -kill database
	bin/crash -rounds $(ROUNDS) -database postgres -replicas 2 -kill database
	bin/crash -rounds $(ROUNDS) -database postgres -replicas 2 -kill roll
	bin/crash -rounds $(ROUNDS) -database postgres -replicas 2 -wakeups=false

fuzz: ## each fuzz target for FUZZTIME (10s)
	@set -e; for package in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "== $$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

withpostgres:
	@$(GO) build -o bin/withpostgres ./internal/apitest/postgres/withpostgres

check-race:
	@test "$$($(GO) env CGO_ENABLED)" = 1 && command -v "$$($(GO) env CC | cut -d' ' -f1)" >/dev/null || { \
		echo 'The race detector needs cgo: install a C compiler (Debian: apt-get install gcc libc6-dev) and leave CGO_ENABLED unset.' >&2; exit 1; }

# --------------------------------------------------------------------------------------------------------------- checks

check: check-generated check-format vet lint check-modules check-vulnerabilities ## generated code current; formatted, vetted, linted; no known vulnerable call
	@echo 'check: everything holds'

generated := ./ent ./graph ./internal/apitest/fanout/peer/stock

generate: ## generate ent and graph code again
	$(GO) generate $(generated)

check-generated:
	.ci/generated $(GO) generate $(generated)

check-format:
	@unformatted=$$(git ls-files -z -co --exclude-standard '*.go' | xargs -0 ls -d 2>/dev/null | xargs gofmt -l) || exit 1; \
	test -z "$$unformatted" || { echo "not formatted (gofmt -w):" $$unformatted >&2; exit 1; }

vet:
	$(GO) vet ./...

# One of the very version that is in PATH, or else the module proxy's, which takes minutes to compile once.
lint:
	@if [ "$$(golangci-lint version --short 2>/dev/null)" = $(LINT_VERSION) ]; then set -- golangci-lint; \
	else set -- $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(LINT_VERSION); fi; \
	echo "$$* run"; "$$@" run

check-modules:
	$(GO) mod tidy -diff
	$(GO) mod verify

check-vulnerabilities:
	.ci/vulnerabilities $(GO) run golang.org/x/vuln/cmd/govulncheck@v$(VULN_VERSION) ./...

# ------------------------------------------------------------------------------------------------------------- explorer

# The GraphiQL page comes from npm packages at build time. Without Node the server does without it and its page says so.
explorer_dir := internal/explorer
explorer_npm := $(explorer_dir)/node_modules/.package-lock.json
explorer_bundle := $(explorer_dir)/dist/manifest.json
explorer_sources := $(wildcard $(explorer_dir)/src/*) $(explorer_dir)/vite.config.js internal/apitest/operations/thread-page.graphql internal/apitest/operations/thread-events.graphql

explorer:
	@if .ci/node; then $(MAKE) --no-print-directory $(explorer_bundle) || { \
			test "$(CI)" != true && echo 'The explorer was not built (see above): going on without it. The page at / will say so.' >&2; }; \
	elif [ "$(CI)" = true ]; then exit 1; \
	elif [ ! -e $(explorer_bundle) ]; then echo 'Going on without the explorer. The page at / will say so.' >&2; fi

check-node:
	@.ci/node || { test "$(CI)" != true && echo 'NOT TESTED without it: the public suites (audits, Relay, code generator, linter, graphql-ws) and the explorer.' >&2; }

$(explorer_npm): $(explorer_dir)/package-lock.json
	cd $(explorer_dir) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(explorer_bundle): $(explorer_npm) $(explorer_sources)
	cd $(explorer_dir) && npm run --silent build -- --logLevel warn
	@touch $@

clean: ## remove what was built, not the data in var/
	rm -rf bin $(explorer_dir)/dist/assets $(explorer_bundle) $(explorer_dir)/node_modules internal/apitest/suites/node_modules
