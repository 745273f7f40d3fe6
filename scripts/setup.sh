#!/usr/bin/env bash
# All set-up of a checkout, from a bare Debian or Ubuntu to a .venv with ROS 2 and our messages built.
# Usage: scripts/setup.sh demo|test   (`test` adds the test tools, torch among them)
# Repeating it costs a few tenths of a second: each step leaves a stamp with the hash of what it was made from.
set -euo pipefail

purpose=${1:-test}
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
venv=$root/.venv
stamps=$venv/stamps
torch=2.13.0

say() { echo "setup: $*" >&2; }

# Two commands started together (say, `make demo` and `make test`) take turns.
exec 9<"$root"
flock 9

# once NAME HASH COMMAND...: runs the command unless it has already succeeded with this hash.
# Not to be called in a condition: bash would then go on after an error inside.
once() {
  local name=$1 hash=$2
  shift 2
  if [ "$(cat "$stamps/$name" 2>/dev/null)" = "$hash" ]; then return 0; fi
  "$@"
  mkdir -p "$stamps"
  echo "$hash" >"$stamps/$name"
}

hash_of() { cat "$@" 2>/dev/null | sha256sum | cut -d' ' -f1; }

# "distro" with a ROS 2 sourced, else "wheels": the two are never mixed in one environment.
ros_kind() {
  if [ -n "${ROS_DISTRO:-}" ] && python3 -c 'import rclpy' 2>/dev/null; then
    echo "distro $ROS_DISTRO $(python3 -c 'import sys; print(sys.executable)')"
  else
    echo "wheels"
  fi
}

make_venv() {
  local python
  python=$(scripts/system_packages.sh "$kind")
  rm -rf "$venv"
  if [ "$kind" = wheels ]; then
    say "making .venv with $("$python" --version)"
    "$python" -m venv "$venv"
  else
    say "making .venv over ROS 2 $ROS_DISTRO with $("$python" --version)"
    "$python" -m venv --system-site-packages "$venv"
  fi
  # A colcon workspace around this checkout must not look for packages inside.
  touch "$venv/COLCON_IGNORE"
  mkdir -p "$stamps"
}

pip_install() { PIP_DISABLE_PIP_VERSION_CHECK=1 "$venv/bin/python" -m pip install -qq "$@"; }

install_wheels() {
  say "installing ROS 2 and Python packages from requirements/ros.lock (about a minute)"
  pip_install --require-hashes --no-deps -r requirements/ros.lock
  "$venv/bin/python" scripts/patch_wheels.py
}

install_test_tools() {
  say "installing the test tools"
  pip_install --require-hashes --no-deps -r requirements/test.lock
}

# With a distribution's ROS, its numpy must stay: the compiled messages are linked against it.
install_beside_distro() {
  local numpy
  say "installing what ROS 2 $ROS_DISTRO lacks"
  numpy=$("$venv/bin/python" -c 'import numpy; print("numpy==" + numpy.__version__)')
  pip_install --constraint <(echo "$numpy") "$@"
  command -v colcon >/dev/null || pip_install colcon-common-extensions
}

# torch stands outside the lock files: on x86-64 the index's own wheel brings several GB of CUDA, while a machine
# with a CPU wheel (2.13.0+cpu, here in CI) offers it under another hash. Plain pip takes the better of the two.
install_torch() {
  "$venv/bin/python" -c 'import torch' 2>/dev/null && return
  say "installing torch (used by training and its tests only)"
  pip_install "torch==$torch"
}

# The command `dtalker` in .venv/bin, on the files of the checkout.
install_checkout() { pip_install --no-deps --editable .; }

kind=$(ros_kind)
# A checkout that was moved or copied, or whose Python went away, needs its environment anew.
if ! { grep -qsF "$venv" "$venv/bin/activate" && [ -x "$venv/bin/python" ]; }; then rm -rf "$stamps"; fi
once venv "$kind" make_venv
if [ "$kind" = wheels ]; then
  once wheels "$(hash_of requirements/ros.lock scripts/patch_wheels.py)" install_wheels
  [ "$purpose" = demo ] || once test-tools "$(hash_of requirements/test.lock)" install_test_tools
  [ "$purpose" = demo ] || once torch "$torch" install_torch
else
  once distro "$(hash_of requirements/base.in)" install_beside_distro -r requirements/base.in matplotlib
  # Before the test tools, which want torch and, unlike the lock files, say so.
  [ "$purpose" = demo ] || once torch "$torch" install_torch
  [ "$purpose" = demo ] || once distro-test "$(hash_of requirements/test.in)" install_beside_distro -r requirements/test.in
fi
[ "$purpose" = demo ] || once system-test-tools "$(hash_of scripts/system_packages.sh)" scripts/system_packages.sh test-tools
once checkout "$(hash_of setup.py pyproject.toml package.xml)" install_checkout

# The build links to the Python files of the checkout, so that their contents need no hash, only their names.
sources() {
  find package.xml CMakeLists.txt msg srv scripts/ros scripts/colcon_build.sh -type f -print0 | sort -z | xargs -0 sha256sum
  find dtalker_model dtalker_ros launch -type f -not -path '*/__pycache__/*' | sort
}
once colcon "$(sources | sha256sum)" scripts/colcon_build.sh "$kind"
