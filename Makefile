# make demo, make test: each does all its own set-up.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

INVENTORY ?= inventory/lab
SCENARIOS ?= nvidia_driver dcgm_exporter vllm node_exporter prometheus alertmanager grafana default
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export PYTHONDONTWRITEBYTECODE := 1

say = @printf '\n\033[1m==> %s\033[0m\n'

.PHONY: help
help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup:  ## Install the Python packages into .venv (every target does this by itself)
	@tools/setup

.PHONY: demo
demo: setup  ## Build two lab machines, run site.yml against them, verify, print the addresses
	$(say) "Building the lab"
	@lab/lab up
	$(say) "Running site.yml against the lab"
	@ansible-playbook -i inventory/lab site.yml
	@lab/lab status
	$(say) "Where the services answer"
	@tools/addresses inventory/lab

.PHONY: demo-down
demo-down: setup  ## Take the lab away without a trace
	@lab/lab down --all

# The modules before the unit tests: their machine brings what the lab needs here, such as rpmbuild, and a test that
# lacks it would be left out.
.PHONY: test
test: lint modules unit molecule  ## Run every check of the project

.PHONY: lint
lint: setup  ## Style: ruff, yamllint, ansible-lint
	$(say) "Linting"
	@ruff check .
	@ruff format --check .
	@yamllint --strict .
	@ansible-lint -q

.PHONY: unit
unit: setup tools  ## The tests that need no machine
	$(say) "Running the tests that need no machine"
	@pytest

.PHONY: tools
tools: setup
	@lab/lab tools

.PHONY: modules
modules: setup  ## The host modules on a real machine
	$(say) "Trying the host modules on a machine"
	@lab/lab -f tests/host/machines.yml up
	@GPUFLEET_TEST_INVENTORY=.gpufleet/lab/hosts/hosts.yml pytest tests/host
	@lab/lab -f tests/host/machines.yml down

.PHONY: molecule
molecule: setup  ## Role scenarios on lab machines (SCENARIOS="vllm" for one)
	$(say) "Building the lab's images and mirror"
	@lab/lab mirror
	@for scenario in $(SCENARIOS); do \
		printf '\n\033[1m==> Scenario %s\033[0m\n' "$$scenario"; \
		molecule test --scenario-name "$$scenario"; \
	done

.PHONY: test-drivers
test-drivers: setup  ## Build Debian's own drivers for real, with DKMS and the kernels' headers (15 minutes)
	$(say) "Building Debian's drivers"
	@molecule test --scenario-name drivers

.PHONY: lock
lock: setup  ## Write the publishers' digests into INVENTORY's lock file
	@tools/lock --inventory $(INVENTORY)

.PHONY: dashboards
dashboards: setup  ## Build the dashboards' JSON in the roles from their sources
	@python -m dashboards.build

.PHONY: bench
bench: setup  ## Measure: one line of JSON per figure
	@tests/bench/run

.PHONY: format
format: setup  ## Format the Python code
	@ruff format . && ruff check --fix .
