#!/usr/bin/env bash
# ruff (rules and format) and mypy; goes through all of them before it fails.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh test
. scripts/env.sh

failed=0
ruff check . || failed=1
ruff format --check . || failed=1
mypy || failed=1
exit "$failed"
