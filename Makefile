# Each target makes .venv and installs what it needs, once. Needs python3 (3.11 or later, with venv) and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TYPESCRIPT := 7.0.2

.PHONY: help demo serve test check format bench docs scripts clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

demo: $(VENV)/.run  ## the service on made-up prices, at http://127.0.0.1:8080
	$(BIN)/ticker demo

serve: $(VENV)/.run  ## the service on real prices, with ./ticker.toml if there is one
	$(BIN)/ticker serve

test: $(VENV)/.dev  ## all tests; those in a browser skip where it is missing
	$(BIN)/pytest --numprocesses auto --dist loadfile --ignore tests/flows
	$(BIN)/pytest tests/flows

check: $(VENV)/.dev  ## format, lint, types, import floors, spelling, scripts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell
	@PATH="$(abspath $(VENV))/node/node_modules/.bin:$$PATH" TYPESCRIPT=$(TYPESCRIPT) sh .ci/scripts $(VENV)/node

format: $(VENV)/.dev  ## put the code in its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev  ## how fast, as ratios to something else in the same run
	$(BIN)/python -m bench

docs: $(VENV)/.dev  ## write README's generated parts anew
	$(BIN)/python -m docs.generate

scripts: $(VENV)/.dev  ## build the scripts that browsers load from their modules
	$(BIN)/python -m docs.bundle

clean:  ## take away what was installed and cached
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Ticker needs Python 3.11 or later; name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "python3 has no venv here; on Debian: apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'

$(VENV)/.run: $(BIN)/python pyproject.toml
	@$(BIN)/python -m pip install --quiet --editable '.[logos]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run pyproject.toml
	@$(BIN)/python -m pip install --quiet --group dev
	@touch $@
