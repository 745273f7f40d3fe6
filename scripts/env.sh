# Source this to run things by hand: `. scripts/env.sh && python -m dtalker_ros.nodes.talker_node`.
# Puts .venv, ROS 2, the built messages and the checkout itself on the paths. Needs `make setup` first.
# shellcheck shell=bash

_dtalker_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
_dtalker_venv=$_dtalker_root/.venv
_dtalker_install=$_dtalker_venv/ros/install

# Prints $1 and the list $2, joined by a colon where $2 is not empty.
_dtalker_joined() { echo "$1${2:+:$2}"; }

_dtalker_wheels_env() {
  local prefix=$_dtalker_install/dtalker folder libraries packages
  packages=$(echo "$prefix"/lib/python3*/site-packages)
  libraries=$prefix/lib:$_dtalker_venv/lib
  for folder in "$_dtalker_venv"/lib/python3*/site-packages/ros_*.libs; do
    libraries=$libraries:$folder
  done
  # Nothing of an outer PYTHONPATH or AMENT_PREFIX_PATH is kept: the wheels are not mixed with another ROS.
  export PYTHONPATH=$_dtalker_root:$packages
  export AMENT_PREFIX_PATH=$prefix:$_dtalker_venv
  LD_LIBRARY_PATH=$(_dtalker_joined "$libraries" "${LD_LIBRARY_PATH:-}")
  export LD_LIBRARY_PATH
  # The wheels re-execute every Python start once to set LD_LIBRARY_PATH; it is set.
  export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
}

_dtalker_distro_env() {
  local nounset
  nounset=$(shopt -po nounset || true)
  set +u # colcon's set-up files read variables that may be unset
  # shellcheck disable=SC1091
  . "$_dtalker_install/local_setup.bash"
  eval "$nounset"
  PYTHONPATH=$(_dtalker_joined "$_dtalker_root" "${PYTHONPATH:-}")
  export PYTHONPATH
}

export VIRTUAL_ENV=$_dtalker_venv
export PATH=$_dtalker_venv/bin:$PATH
if [ "$(cat "$_dtalker_venv/stamps/venv")" = wheels ]; then _dtalker_wheels_env; else _dtalker_distro_env; fi
