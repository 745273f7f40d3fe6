"""Where the checkout is that the tests test."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
