#!/usr/bin/env bash
# Regenerates requirements/*.lock: pinned, hash-locked, for Python 3.10 to 3.14, naming no index.
# Needs `uv` on PATH (`pip install uv`).
set -euo pipefail
cd "$(dirname "$0")/../requirements"

common=$(mktemp)
outside=$(mktemp)
trap 'rm -f "$common" "$outside"' EXIT
# accelerate wants torch, which stands outside with all that it brings: an override that holds nowhere.
echo "torch; python_version < '3'" >"$outside"

lock() { # lock OUTPUT INPUT...
  local output=$1
  shift
  uv pip compile --quiet --no-config --universal --python-version 3.10 --generate-hashes \
    --no-emit-index-url --no-header --no-annotate --overrides "$outside" --output-file "$output" "$@"
}

# One resolution for all of them first, so that the files agree when two are installed together.
lock "$common" --upgrade base.in ros.in test.in
for name in base ros test; do
  rm -f "$name.lock"
  lock "$name.lock" --constraint "$common" "$name.in"
  sed -i "1i # Made by scripts/lock.sh from $name.in; do not edit." "$name.lock"
done
