"""How the skin moves: the 52 morph targets as displacements of the face at rest."""
