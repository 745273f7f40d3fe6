#!/usr/bin/env bash
# Linters, then the tests without ROS, then each ROS test file in a process of its own, then one line for all.
# Usage: scripts/test.sh [TEST_FILE...]   (with files named: those alone, without the linters)
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh test
. scripts/env.sh

report=$PWD/.test-report
rm -rf "$report"
mkdir -p "$report"
export MPLBACKEND=Agg

# step NAME COMMAND...: remembers a failure and goes on.
step() {
  local name=$1 status=0
  shift
  echo "== $name"
  "$@" || status=$?
  echo "$status" >"$report/$name.status"
}

# One process a core, and in each one thread: more would stand in each other's way.
python_tests() {
  OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m pytest -q -n auto --dist worksteal --junitxml="$report/python.xml" "$@"
}

# A browser without a GPU draws with more than a core: alone.
page_tests() { python -m pytest -q --junitxml="$report/page.xml" "$@"; }

plain=() page=() ros=()
files=("$@")
[ $# -gt 0 ] || mapfile -t files < <(find test -name 'test_*.py' | LC_ALL=C sort)
for file in "${files[@]}"; do
  case $(basename "$file") in test_ros_*) ros+=("$file") ;; test_view_page.py) page+=("$file") ;; *) plain+=("$file") ;; esac
done

[ $# -gt 0 ] || step lint scripts/lint.sh
[ ${#plain[@]} = 0 ] || step python python_tests "${plain[@]}"
[ ${#page[@]} = 0 ] || step page page_tests "${page[@]}"
# They wait more than they compute: two at a time, each in domains that the other does not use.
[ ${#ros[@]} = 0 ] || printf '%s\0' "${ros[@]}" | xargs -0 -n 1 -P 2 --process-slot-var=DTALKER_LANE scripts/ros_test.sh "$report"

python scripts/test_summary.py "$report"
