# Every recipe calls a command and holds no logic. `make` alone lists the targets.

PYTHON      ?= python3
ASSIGNMENT  ?= knn
SUBMISSIONS ?= examples/submissions/$(ASSIGNMENT)
OUT         ?= graded/$(ASSIGNMENT)
TARGET      ?= gradescope
ONLY        := $(if $(filter command,$(firstword $(origin ASSIGNMENT))),$(ASSIGNMENT))

# Another Python, as in `make grade PYTHON=python3.13`, gets an environment of its own: .venv-python3.13.
VENV  := .venv$(if $(filter python3,$(PYTHON)),,-$(notdir $(PYTHON)))
BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed

# With it each of the many processes of the tests would compile the kit anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install grade report release publish bundle upload quick test test-full lint check format schema attacks tolerances bench clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12
	@echo
	@echo 'Example: make grade ASSIGNMENT=knn SUBMISSIONS=examples/submissions/knn OUT=graded/knn'

install: $(STAMP)  ## Make .venv, or bring it up to date; PYTHON=python3.13 makes .venv-python3.13
$(STAMP): pyproject.toml constraints.txt
	@echo 'Installing into $(VENV); PyTorch is large, so the first time takes minutes.'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

grade: $(STAMP)  ## Grade the folder SUBMISSIONS of ASSIGNMENT into OUT
	@$(BIN)/autograder grade $(ASSIGNMENT) $(SUBMISSIONS) --output $(OUT)

report: $(STAMP)  ## Write grades.csv and the feedback in OUT again, and print the table
	@$(BIN)/autograder report $(OUT)

release: $(STAMP)  ## Make assignments/ and dist/ from solutions/ (or for ASSIGNMENT), and check that nothing leaks
	@$(BIN)/autograder release $(ONLY)

publish: $(STAMP)  ## Push dist/student (or ASSIGNMENT of it) to the public repository that course.toml names
	@$(BIN)/autograder publish $(ONLY)

bundle: $(STAMP)  ## Package the suite of ASSIGNMENT for the submission server TARGET
	@$(BIN)/autograder bundle $(ASSIGNMENT) $(TARGET)

upload: $(STAMP)  ## Take the bundle of ASSIGNMENT to TARGET, which is autograder_io or submitty
	@$(BIN)/autograder upload $(ASSIGNMENT) $(TARGET)

quick: lint  ## Lint, check types, and run the tests of what changed since main; under a minute
	@$(BIN)/python -m tests.support.quick

test: $(STAMP)  ## Run the tests
	@$(BIN)/pytest -n auto -m 'not full'

test-full: $(STAMP)  ## Run all tests, the long ones too
	@$(BIN)/pytest -n auto

lint: $(STAMP)  ## Lint, and check formatting and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

check: lint  ## Lint, check formatting and types, and that generated files are fresh
	@$(BIN)/pytest -q tests/course/test_generated.py

format: $(STAMP)  ## Format the code and fix what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

schema: $(STAMP)  ## Write the JSON schema of results again
	@$(BIN)/autograder schema > docs/schemas/result-v1.json

attacks: $(STAMP)  ## Write the table of attacks again
	@$(BIN)/python tests/support/attack_table.py > docs/attacks.md

tolerances: $(STAMP)  ## Write the table of tolerances again
	@$(BIN)/python -m helpers.testing.tolerances > docs/tolerances.md

bench: $(STAMP)  ## Measure how fast a class is graded
	@$(BIN)/python -m benchmarks

clean:  ## Remove .venv and caches; keeps graded/ and the course secret
	@rm -rf .venv .venv-* .mypy_cache .pytest_cache .ruff_cache .hypothesis build coursegrad.egg-info
