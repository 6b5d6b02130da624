.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PROTOS := $(wildcard prism_iac/wire/*.proto)
FIRMWARE := .firmware/usr/share/ovmf/OVMF.fd
QEMU := .qemu/qemu-system-x86_64
KEYS := $(patsubst %,examples/iris/keys/%.pub.pem,ada grace)

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: setup
setup: $(VENV)/.complete $(KEYS) ## make the virtual environment, find or obtain Pulumi, make the example's keys
	@$(BIN)/python -m prism_iac.toolchain

.PHONY: up
up: setup ## run the example from nothing to a verified result; a second time nothing changes
	@. .prism/env.sh && python examples/iris/quick_start.py

.PHONY: down
down: ## end everything that up started; its data stays
	@if [ -x $(BIN)/prism-iac ]; then $(BIN)/prism-iac vms stop --all && $(BIN)/prism-iac backend down; fi

$(VENV)/.complete: pyproject.toml constraints.txt policypack/requirements.txt hatch_build.py $(PROTOS)
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=/path/to/it") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --no-deps --requirement policypack/requirements.txt
	touch $@

$(KEYS): %.pub.pem: | $(VENV)/.complete
	mkdir -p $(@D)
	$(BIN)/prism-iac keys --type ed25519 --output $*

.PHONY: lint
lint: setup ## check formatting, lint, types and the room picture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: setup ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: generate
generate: setup ## write what is made from models, commands and tests: schemas/, docs/reference/, the table of faults
	$(BIN)/python -m prism_iac.model.schema
	$(BIN)/python -m prism_iac.plan
	$(BIN)/python -m prism_iac.cli.reference
	$(BIN)/python -m tests.faults.matrix

.PHONY: firmware
firmware: $(FIRMWARE) ## obtain real firmware, which tests and benchmarks measure

$(FIRMWARE):
	@folder=$$(mktemp -d) && cd $$folder && (apt-get download -qq ovmf || (apt-get update -qq && apt-get download -qq ovmf)) \
		&& dpkg-deb -x ovmf_*.deb $(CURDIR)/.firmware && rm -r $$folder

.PHONY: guest
guest: setup $(QEMU) ## obtain QEMU, and build the image that its guests boot
	@$(BIN)/prism-iac vms image

# A program on the search path serves; otherwise Debian's packages are unpacked here, and nothing is installed.
$(QEMU):
	@mkdir -p $(@D)
	@if found=$$(command -v qemu-system-x86_64); then ln -s $$found $@; else \
		folder=$$(mktemp -d) && here=$(CURDIR)/$(@D) && cd $$folder \
		&& { apt-get install -s --no-install-recommends qemu-system-x86 >list 2>/dev/null \
			|| { apt-get update -qq && apt-get install -s --no-install-recommends qemu-system-x86 >list; }; } \
		&& apt-get download -qq $$(awk '/^Inst/ {print $$2}' list) \
		&& for package in *.deb; do dpkg-deb -x $$package $$here/root; done && rm -r $$folder \
		&& printf '#!/bin/sh\nroot=%s/root\nexport LD_LIBRARY_PATH=$$root/usr/lib/x86_64-linux-gnu:$$root/lib/x86_64-linux-gnu\nexec $$root/usr/bin/qemu-system-x86_64 -L $$root/usr/share/qemu -L $$root/usr/share/seabios "$$@"\n' $$here >$$here/.new \
		&& chmod +x $$here/.new && mv $$here/.new $(CURDIR)/$@; fi

.PHONY: test
test: setup ## run every test
	@$(MAKE) --silent firmware || echo "without Debian's package of firmware, tests that measure it are left out"
	@$(MAKE) --silent guest || echo "without Debian's packages, the test that boots a guest is left out"
	$(BIN)/pytest -n 2 --dist worksteal

.PHONY: languages
languages: setup ## generate packages for other languages from the schema and compile programs that use them
	PRISM_IAC_LANGUAGES=1 $(BIN)/pytest tests/languages

.PHONY: interop
interop: setup ## run the programs of Cocos that COCOS_BIN names against ours
	$(BIN)/pytest -n 2 --dist worksteal tests/interop

FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?=
FUZZ_EXAMPLES ?= 25

.PHONY: fuzz
fuzz: setup ## read what nobody would write, FUZZ_SECONDS for each target, and ask the API everything it describes
	$(BIN)/python -m pip install --quiet '.[fuzz]'
	$(BIN)/python -m tests.fuzz run --seconds $(FUZZ_SECONDS) $(FUZZ_TARGETS)
	PRISM_IAC_API_EXAMPLES=$(FUZZ_EXAMPLES) PRISM_IAC_API_PHASES=examples,coverage,fuzzing,stateful \
		$(BIN)/pytest tests/contract/backend/test_description.py

.PHONY: coverage
coverage: setup ## run the tests below the engine's and tell what they leave out
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2 tests/unit tests/contract
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

.PHONY: bench
bench: setup ## measure the speed beside references; a table, and JSON in benchmarks/results/
	$(BIN)/python -m benchmarks

.PHONY: faults
faults: setup ## kill engine, provider and backend at every point, and let every call meet every fault; a table, and JSON in benchmarks/results/
	$(BIN)/python -m tests.faults

.PHONY: soak
soak: setup ## let 64 clients work for ten minutes on SQLite, then on PostgreSQL, and compare what is there with what was acknowledged
	$(BIN)/python -m tests.soak

.PHONY: clean
clean: down ## remove what the commands made, but for the state and data in .prism and the keys
	rm -rf $(VENV) .firmware .qemu .mypy_cache .ruff_cache .pytest_cache .hypothesis .fuzz examples/iris/result
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
