"""Executables: one node or program a file, each also ``python -m dtalker_ros.nodes.NAME``."""
