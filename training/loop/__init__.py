"""The training loop, which knows no model: plans, checkpoints, devices, configurations, curves."""
