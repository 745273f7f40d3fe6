"""The face at rest: its skin as a mesh, from curves that are drawn here in mm."""
