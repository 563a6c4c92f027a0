# `make run` starts the demonstration, `make test` tests everything. `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help run test check items bench demo-reset audit-verify messages lock

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

.venv/ready: requirements.lock stack/install.sh
	@stack/install.sh run
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

translations/en/LC_MESSAGES/messages.mo: translations/en/LC_MESSAGES/messages.po | .venv/ready
	@$(BIN)/pybabel -q compile -f -d translations

run: .venv/ready translations/en/LC_MESSAGES/messages.mo  ## starts everything on this machine; Ctrl-C ends it
	@$(BIN)/python -m stack run

demo-reset: .venv/ready  ## the demonstration's data anew, in about 10 seconds
	@$(BIN)/python -m stack reset

test: .venv/ready translations/en/LC_MESSAGES/messages.mo  ## all tests, on all cores
	@stack/install.sh test
	@$(BIN)/python -m pytest -n $$(($$(nproc) + 1)) -rs  # one more than cores: many tests wait for programs
	@$(BIN)/python -m pytest -n auto -rs card_bridge/tests

check: .venv/ready  ## what .ci/run runs: style, import rules, tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(MAKE) --no-print-directory test

items: .venv/ready  ## checklist items without a test
	@$(BIN)/python -m stack.items

bench: .venv/ready  ## all benchmarks, or NAME=push
	@$(BIN)/python -m benchmarks $(NAME)

audit-verify: .venv/ready  ## proves the chain of audit events of the demonstration
	@$(BIN)/python -m stack verify

lock: .venv/ready  ## requirements.lock anew from pyproject.toml (needs uv)
	@uv pip compile -q --universal --python-version 3.11 --all-extras --generate-hashes --no-header --no-emit-index-url --no-emit-find-links pyproject.toml -o requirements.lock
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links -c requirements.lock pyproject.toml -o ops/requirements.lock

messages: .venv/ready  ## collects the texts to translate
	@$(BIN)/pybabel -q extract -F translations/babel.cfg --no-location --omit-header -o translations/messages.pot .
	@$(BIN)/pybabel -q update -w 1000000 -i translations/messages.pot -d translations -l en --no-fuzzy-matching --ignore-obsolete
