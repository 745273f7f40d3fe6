#!/usr/bin/env bash
# Makes sure that the system has what the set-up needs, and prints the Python to use.
# Usage: scripts/system_packages.sh wheels|"distro ..."|test-tools
#   test-tools: programs that some tests need and skip without; nothing is printed, and missing ones are no failure.
# Installs through apt where root or sudo is there; else says in one line what is missing and fails.
set -euo pipefail

kind=$1

supported() { "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; }

# The machine's own `python3` where it is supported, else the newest supported one on PATH.
find_python() {
  local candidate
  for candidate in ${DTALKER_PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
    if command -v "$candidate" >/dev/null && supported "$candidate"; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
}

# Prints the Debian names of what is missing, for the Python $1 (empty: none was found).
missing_packages() {
  command -v cmake >/dev/null || echo cmake
  command -v g++ >/dev/null || echo g++
  command -v make >/dev/null || echo make
  if [ -z "$1" ]; then
    echo python3 python3-venv python3-dev
    return
  fi
  local version
  version=$("$1" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
  "$1" -c 'import ensurepip, venv' 2>/dev/null || echo "$version-venv"
  "$1" -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null || echo "$version-dev"
}

# How to become root: nothing, sudo, or the word "never".
elevate() {
  if [ "$(id -u)" = 0 ]; then
    echo env
  elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    echo sudo
  else
    echo never
  fi
}

apt_install() {
  local as_root
  as_root=$(elevate)
  if [ "$as_root" = never ] || ! command -v apt-get >/dev/null; then
    echo "setup: missing on this machine: $* (install with: apt-get install $*)" >&2
    exit 1
  fi
  echo "setup: installing $* with apt" >&2
  local log
  log=$(mktemp)
  if ! { "$as_root" apt-get -qq update &&
    "$as_root" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "setup: apt could not install: $*" >&2
    exit 1
  fi
  rm -f "$log"
}

if [ "$kind" = test-tools ]; then
  tools=()
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
    tools+=(chromium)
  command -v ffmpeg >/dev/null || tools+=(ffmpeg)
  command -v flite >/dev/null || tools+=(flite)
  command -v strace >/dev/null || tools+=(strace)
  for tool in ${tools[@]+"${tools[@]}"}; do
    (apt_install "$tool") || echo "setup: without $tool the tests that need it are skipped" >&2
  done
  exit 0
fi

if [ "$kind" = wheels ]; then
  python=$(find_python)
else
  python=${kind##* }
fi
packages=$(missing_packages "$python" | tr '\n' ' ')
if [ -n "$packages" ]; then
  # shellcheck disable=SC2086  # one word per package
  apt_install $packages
  [ -n "$python" ] || python=$(find_python)
fi
if [ -z "$python" ]; then
  echo "setup: missing on this machine: a Python of 3.10 to 3.14 (python3 is $(python3 --version 2>&1))" >&2
  exit 1
fi
echo "$python"
