#!/usr/bin/env bash
# Speech clip -> player node -> audio topic -> talker node -> blendshape topic; ends with a summary and demo.png.
# Usage: scripts/demo.sh [OPTIONS of python -m dtalker_ros.nodes.demo]
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh demo
. scripts/env.sh
exec python -m dtalker_ros.nodes.demo "$@"
