"""When: sample index and ROS clock, gaps, lateness, drift, and the rate of frames. No ROS imports."""
