"""The command ``dtalker``: render, info and bench, without ROS."""
