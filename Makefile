# Every target works from a bare checkout: all it takes is make and Python 3.11 or newer.

VENV := .venv
PYTHON := $(VENV)/bin/python
# Set by hand to choose an interpreter: make demo BASE_PYTHON=/path/to/python3.12
BASE_PYTHON :=
ARGS :=

export PIP_ROOT_USER_ACTION := ignore
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_USER := 0
export PYTHONUTF8 := 1
unexport PYTHONHOME PYTHONPATH

PIP_INSTALL := $(PYTHON) -m pip install --no-input --require-hashes
LOCK := $(PYTHON) -m uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.PHONY: help demo run test lint check openapi schemathesis fuzz chaos bench screenshots lock

help: ## Say what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

demo: $(VENV)/.installed ## Run a whole business day and print its tie-out report
	@$(PYTHON) manage.py demo $(ARGS)

run: $(VENV)/.installed ## Run web, worker and beat with demo data until Ctrl-C (PORT, default 8000)
	@exec $(PYTHON) manage.py run $(ARGS)

test: $(VENV)/.installed-dev ## Run the tests, files on two processes (ARGS="-k refund" chooses, on one)
	@$(PYTHON) -m pytest $(or $(ARGS),-n 2 --dist loadfile --no-loadscope-reorder)

lint: $(VENV)/.installed-dev ## Check format, style, types, import contracts and migrations
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m ruff check
	$(PYTHON) -m mypy
	$(PYTHON) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	$(PYTHON) manage.py makemigrations --check --dry-run
	$(PYTHON) manage.py check
	$(PYTHON) manage.py spectacular --validate --fail-on-warn | diff -u docs/openapi.yaml -

openapi: $(VENV)/.installed-dev ## Write docs/openapi.yaml from the code
	$(PYTHON) manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

schemathesis: $(VENV)/.installed-dev ## Hold the API to docs/openapi.yaml with many requests (SEED=…)
	@CONTRACT_EXAMPLES=100 $(PYTHON) -m pytest -s tests/payments/api/test_oas_01_schemathesis.py $(ARGS)

check: lint test ## Everything that must be green before a commit

fuzz: $(VENV)/.installed-dev ## Mutate files of every format for a minute each (ARGS="--seconds 5 mt940")
	@$(PYTHON) -m tests.fuzz $(ARGS)

chaos: $(VENV)/.installed-dev ## Hurt the platform for 10 minutes and judge it (ARGS="--seconds 60")
	@$(PYTHON) -m tests.chaos $(ARGS)

bench: $(VENV)/.installed-dev ## Measure against the goals of benchmarks/README.md
	@$(PYTHON) -m benchmarks $(ARGS)

screenshots: $(VENV)/.installed-dev ## Take the pictures of docs/back-office.md with Chromium
	@$(PYTHON) -m pytest tests/browser/pictures.py $(ARGS)

lock: $(VENV)/.installed-dev ## Resolve the .in files into pinned, hashed requirements
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) requirements-sqs.in -o requirements-sqs.txt
	$(LOCK) requirements-dev.in -o requirements-dev.txt

$(VENV)/.installed: requirements.txt | $(PYTHON)
	@echo 'Installing requirements.txt into $(VENV) ...'
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m ensurepip  # a creation cut short
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo 'Installing requirements-dev.txt into $(VENV) ...'
	@$(PIP_INSTALL) -r requirements.txt -r requirements-dev.txt
	@touch $@

$(PYTHON):
	@for candidate in $(BASE_PYTHON) python3 python3.13 python3.12 python3.11 python3.14; do \
		if "$$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Creating $(VENV) with $$("$$candidate" -V) ..."; \
			exec "$$candidate" -m venv --clear $(VENV); \
		fi; \
	done; \
	echo 'Tieout needs Python 3.11 or newer with its venv module (Debian: apt install python3-venv).' >&2; \
	echo "python3 here is: $$(python3 -V 2>&1)" >&2; \
	exit 1
