"""When: sample index and ROS clock, gaps, lateness and drift. No ROS imports."""
