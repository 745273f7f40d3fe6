# Two commands for everybody: `make demo` and `make test`. Each does its own set-up; the work is in scripts/.
.PHONY: demo test setup lint build clean

demo:
	@scripts/demo.sh $(ARGS)

test:
	@scripts/test.sh $(TESTS)

setup:
	@scripts/setup.sh test

lint:
	@scripts/lint.sh

build:
	@scripts/setup.sh demo

clean:
	rm -rf .venv .test-report .mypy_cache .pytest_cache .ruff_cache build dist dtalker.egg-info demo.png
