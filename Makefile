# Every target makes what it needs first: Python 3.11 or later is all that has to be here.
#
#   make run      the demo, on http://localhost:8000     (ARGS='--port 8080' is passed on)
#   make test     all the tests                          (ARGS='-k routing -x')
#   make test-flask  Flask's own tests and extensions', beside Flask (SUITE=flask-login, ARGS='-k cookie')
#   make test-faults  workers killed, disks full, peers slow or gone: real processes and sockets
#   make soak     a million requests, and what they leave in memory
#   make lint     format, lint, both type checkers
#   make bench    speed, beside a C server and others    (QUICK=1, PEERS=1, ARGS='--help')
#   make docs     the documentation's examples, run
#   make coverage all the tests, and how much of each layer they reach
#   make clean    removes what these made

VENV := .venv
BIN  := $(VENV)/bin
# Asked one after the other; `make PYTHON=/path/to/python3.12 test` asks that one only.
PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11 python

.PHONY: run test test-flask test-faults soak lint format bench docs coverage clean
.DELETE_ON_ERROR:

run: $(VENV)/installed-demo
	@exec $(BIN)/groundwire demo $(ARGS)

test: $(VENV)/installed-test
	$(BIN)/python -m pytest $(ARGS)

# Downloads what it runs, once; so it is not among `make test`.
test-flask: | $(BIN)/python
	@exec $(BIN)/python tests/flask/upstream/run.py $(foreach suite,$(SUITE),--suite $(suite)) -- $(ARGS)

test-faults: $(VENV)/installed-test
	$(BIN)/python -m pytest tests/faults $(ARGS)

soak: $(VENV)/installed-test
	$(BIN)/python -m pytest tests/faults/test_soak.py -s --soak -o faulthandler_timeout=0 $(ARGS)

lint: $(VENV)/installed-lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

format: $(VENV)/installed-lint
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/installed-demo $(if $(PEERS),$(VENV)/installed-bench)
	@exec $(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(if $(PEERS),--peers) $(ARGS)

docs: $(VENV)/installed-test
	$(BIN)/python -m pytest tests/test_docs.py tests/test_examples.py $(ARGS)

# Of branches too; 95 % is the promise for the three layers whose every decision is ours.
coverage: $(VENV)/installed-test
	$(BIN)/python -m coverage run -m pytest $(ARGS)
	@for layer in protocol http app; do \
	    $(BIN)/python -m coverage report --include="src/groundwire/$$layer/*" --fail-under=95 || failed="$$failed $$layer"; \
	done; [ -z "$$failed" ] || { echo "below 95 %:$$failed" >&2; exit 1; }
	@$(BIN)/python -m coverage report --format=total | sed 's/$$/ % in all/'

clean:
	rm -rf $(VENV) build dist benchmarks/bin .pytest_cache .mypy_cache .ruff_cache .hypothesis htmlcov .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp per extra: an install happens again only when pyproject.toml has changed since.
$(VENV)/installed-%: pyproject.toml | $(BIN)/python
	@echo "Installing groundwire[$*] into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@
	@# What tests and linters need includes what the demo needs.
	@case $* in test|lint) touch $(VENV)/installed-demo ;; esac

$(BIN)/python:
	@for python in $(PYTHON); do \
	    if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "Groundwire needs Python 3.11 or later; none of these is: $(PYTHON)." >&2; \
	    echo "Install one, or name it: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv $(VENV) || { \
	    rm -rf $(VENV); \
	    echo "$$found could not make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; \
	}
