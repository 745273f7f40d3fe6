"""ROS 2 nodes around `dtalker_model`: audio messages in, blendshape messages out.

The executables are those of ``scripts/ros``; each runs as ``python -m dtalker_ros.nodes.NAME`` or
``ros2 run dtalker NAME``.
"""
