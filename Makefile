# What a person types here. `make` alone prints this list.
#
# ARGS goes through to pytest:   make fuzz ARGS="--runtime docker -x"
# Most tests wait, so three at once suit two cores; one after the other: make test WORKERS=0

PYTHON ?= python3
ARGS ?=
WORKERS ?= 3

BIN := .venv/bin
INSTALLED := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help fuzz test check engine engine-stop clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

fuzz: $(INSTALLED) ## search the target for cascades (pytest fuzzer)
	$(BIN)/pytest fuzzer $(ARGS)

test: $(INSTALLED) ## test knockon itself, WORKERS tests at once (pytest tests)
	$(BIN)/pytest tests -n $(WORKERS) $(ARGS)

check: $(INSTALLED) ## lint, formatting, types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

engine: ## a container engine that answers, with compose and a base image
	@scripts/engine.sh up

engine-stop: ## stop the engine that `make engine` started, and no other
	@scripts/engine.sh down

clean: ## remove what can be made again; findings in .knockon stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp, not the folder, whose time changes with everything that is written into it.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("knockon needs Python 3.11 or newer, \
	and $(PYTHON) is %d.%d; name another: make PYTHON=python3.12" % sys.version_info[:2])'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "$(PYTHON) cannot make a venv: apt-get install \
	python3-venv" >&2; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
