#!/usr/bin/env bash
# One ROS test file in a process of its own, on this machine alone; what it says comes in one piece, at its end.
# Usage: scripts/ros_test.sh REPORT_FOLDER TEST_FILE   (in the environment of scripts/env.sh)
set -euo pipefail
report=$1 file=$2
name=$(basename "$file" .py)
timeout_s=${DTALKER_ROS_TEST_TIMEOUT_S:-240}
if [ "${ROS_DISTRO:-}" = humble ]; then export ROS_LOCALHOST_ONLY=1; else export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST; fi

status=0
timeout --kill-after=10 "$timeout_s" python -m pytest -q --junitxml="$report/$name.xml" "$file" \
  >"$report/$name.log" 2>&1 || status=$?
echo "$status" >"$report/$name.status"
case $status in 124 | 137) echo "== $name: stopped after $timeout_s s" >>"$report/$name.log" ;; esac
printf '== %s\n%s\n' "$name" "$(cat "$report/$name.log")"
