# Needs Python 3.11 or newer and a package registry; everything else goes into .venv.
# Every path here is relative and plain, so that the checkout may lie in a folder whose name has spaces.

PYTHON = python3
VENV = .venv/bin/python
# Processes that test at a time; each takes a core and about 1 GB.
JOBS = 2

.PHONY: help setup demo test verdicts lint release lock clean

help:
	@echo 'make demo     grade a sample submission; the reports go to out/demo'
	@echo 'make test     run the tests'
	@echo 'make verdicts grade the reference with 200 seeds, with one thread and with two: it may lose nothing'
	@echo 'make lint     check style and types'
	@echo 'make release  write assignment/ from solutions/'
	@echo 'make lock     pin the dependencies anew, from the ranges in pyproject.toml'
	@echo 'make clean    remove what these commands made, .venv included'
	@echo
	@echo 'The first one sets up .venv, once; choose its Python with, say, make demo PYTHON=python3.12'

setup: .venv/installed

demo: setup
	@$(VENV) grade.py --submission tests/samples/mixed --out out/demo

test: setup
	@$(VENV) -m pytest -n $(JOBS) --dist worksteal

verdicts: setup
	@$(VENV) -m autograder verdicts --kind reference --seeds 200 --jobs $(JOBS)
	@$(VENV) -m autograder verdicts --kind reference --seeds 200 --jobs 1 --threads 2

lint: setup
	@$(VENV) -m ruff check
	@$(VENV) -m ruff format --check
	@$(VENV) -m mypy

release: setup
	@$(VENV) -m autograder release

lock: setup
	@$(VENV) .ci/lock.py

clean:
	rm -rf .venv out .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Touched last, so that an installation that was interrupted is taken up again. Where nobody watches, pip is quiet.
.venv/installed: requirements.lock
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo 'Python 3.11 or newer is needed, and "$(PYTHON)" is not: install one and name it, as in' \
	         '"make demo PYTHON=python3.11".' >&2; exit 1; }
	@echo 'Setting up .venv: once, a few minutes.'
	@"$(PYTHON)" -m venv --clear .venv
	@$(VENV) -m pip install $(if $(MAKE_TERMOUT),,--quiet) --disable-pip-version-check -r requirements.lock
	@touch $@
