"""The talker's ROS parameters: declared, checked, written to a file, and set on another node."""
