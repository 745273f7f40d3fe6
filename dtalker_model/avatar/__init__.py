"""The head of our own: `head.glb`, what generates it (`python -m dtalker_model.avatar`), and names of other avatars."""

from pathlib import Path

HEAD = Path(__file__).with_name("head.glb")
"""The shipped head: binary glTF, 52 ARKit morph targets, CC0."""
