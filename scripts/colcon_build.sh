#!/usr/bin/env bash
# Builds the package (messages, and links to the Python files) with colcon into .venv/ros.
# Usage: scripts/colcon_build.sh wheels|"distro ..."
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
venv=$root/.venv
log=$venv/ros/build.log

if [ "$1" = wheels ]; then
  # The wheels have no setup files: the virtual environment is the prefix.
  unset PYTHONPATH
  export AMENT_PREFIX_PATH=$venv CMAKE_PREFIX_PATH=$venv LD_LIBRARY_PATH=$venv/lib
fi
export PATH=$venv/bin:$PATH

# CMake refuses an include folder (here numpy's, in .venv) inside the source folder: the source is a folder of links.
source=$venv/ros/src/dtalker
rm -rf "$source"
mkdir -p "$source"
for name in package.xml CMakeLists.txt LICENSE dtalker_model dtalker_ros launch msg scripts srv; do
  ln -s "$root/$name" "$source/$name"
done

echo "setup: building the ROS package with colcon (about 20 s)" >&2
cd "$venv/ros"
if ! colcon --log-base "$venv/ros/log" build --paths "$source" --symlink-install \
  --build-base "$venv/ros/build" --install-base "$venv/ros/install" \
  --event-handlers console_direct+ --cmake-force-configure \
  --cmake-args -DPython3_EXECUTABLE="$venv/bin/python" -DPython3_FIND_VIRTUALENV=ONLY -DBUILD_TESTING=OFF \
  >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  exit 1
fi
