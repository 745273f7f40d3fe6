"""The command ``dtalker`` without ROS: one file a command, the options they share, and what they say in a terminal."""
