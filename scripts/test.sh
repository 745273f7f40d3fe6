#!/usr/bin/env bash
# Linters, then the tests without ROS, then each ROS test file in a process of its own, then one line for all.
# Usage: scripts/test.sh [TEST_FILE...]   (with files named: those alone, without the linters)
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh test
. scripts/env.sh

report=$PWD/.test-report
ros_timeout_s=${DTALKER_ROS_TEST_TIMEOUT_S:-180}
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
  case $status in 124 | 137) echo "== $name: stopped after ${ros_timeout_s} s" ;; esac
}

# One process a core, and in each one thread: more would stand in each other's way.
python_tests() {
  OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m pytest -q -n auto --dist worksteal --junitxml="$report/python.xml" "$@"
}

# A domain of its own, on this machine alone: nothing else that runs ROS here is heard.
ros_tests() {
  local name=$1 file=$2
  export ROS_DOMAIN_ID=$((RANDOM % 102))
  if [ "${ROS_DISTRO:-}" = humble ]; then export ROS_LOCALHOST_ONLY=1; else export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST; fi
  timeout --kill-after=10 "$ros_timeout_s" python -m pytest -q --junitxml="$report/$name.xml" "$file"
}

plain=() ros=()
files=("$@")
[ $# -gt 0 ] || mapfile -t files < <(find test -name 'test_*.py' | LC_ALL=C sort)
for file in "${files[@]}"; do
  case $(basename "$file") in test_ros_*) ros+=("$file") ;; *) plain+=("$file") ;; esac
done

[ $# -gt 0 ] || step lint scripts/lint.sh
[ ${#plain[@]} = 0 ] || step python python_tests "${plain[@]}"
for file in ${ros[@]+"${ros[@]}"}; do
  name=$(basename "$file" .py)
  step "$name" ros_tests "$name" "$file"
done

python scripts/test_summary.py "$report"
