"""What a machine may lack for a talking face: one pure check a point, and what looks at machine and graph for them.

`examination`, `finding`, `software` and `middleware` import no packages, since they must run without them, and no ROS,
since rcl ends the process where the middleware is not the one asked for: `look` runs in a process of its own.
"""
