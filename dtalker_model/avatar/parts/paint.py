"""The skin's vertex colours: lips, lids, lashes, blush and the dark of the mouth."""

import numpy as np

from dtalker_model.avatar.shape import eyelids, mouth
from dtalker_model.avatar.shape.face import Face
from dtalker_model.avatar.shape.falloff import Array, Indices, bump, smoothstep
from dtalker_model.avatar.shape.palette import BLUSH, LASH, LID, LIP, LIP_EDGE, MOUTH, SKIN, THROAT, blend, linear


def skin(points: Array) -> Array:
    """(V, 3) the skin with blush on cheeks and nose."""
    blush = sum(bump(points, (x, y), (r, 0.75 * r)) for x, y, r in ((41.0, 110.0, 15.0), (-41.0, 110.0, 15.0)))
    nose = bump(points, (0.0, 118.0), (9.0, 7.0))
    return blend(linear(SKIN), linear(BLUSH), 0.62 * blush + 0.28 * nose)


def lips(face: Face, colours: Array) -> None:
    """Colours the rings of the mouth in place."""
    first, last = mouth.BORDER_RING, mouth.EDGE_RING
    for ring in range(first, last + 1):
        depth = np.full(mouth.COLUMNS, (ring - first) / (last - first))
        colours[face.mouth[ring]] = blend(linear(LIP), linear(LIP_EDGE), smoothstep(0.35, 1.0, depth))
    for ring in range(last + 1, len(face.mouth)):
        depth = np.full(mouth.COLUMNS, (ring - last - 1) / (len(face.mouth) - last - 2))
        colours[face.mouth[ring]] = blend(linear(MOUTH), linear(THROAT), depth)
    colours[face.throat] = linear(THROAT)


def lids(grid: Indices, colours: Array) -> None:
    """Colours one eye's rings in place: a tint on the moving lid, dark lashes along the upper edge."""
    sine = eyelids.angles()[1]
    tint = np.array([ring.follow for ring in eyelids.LIDS])
    for ring, follow in enumerate(tint[: eyelids.LASH_RINGS.start]):
        weight = smoothstep(0.4, 0.9, np.full(eyelids.COLUMNS, follow)) * (0.35 + 0.55 * smoothstep(-0.1, 0.3, sine))
        colours[grid[ring]] = blend(colours[grid[ring]], linear(LID), weight)
    for ring in range(eyelids.LASH_RINGS.start, len(grid)):
        colours[grid[ring]] = blend(0.8 * linear(LID), linear(LASH), smoothstep(-0.02, 0.45, sine))


def face_colours(face: Face) -> Array:
    """(V, 3) linear RGB."""
    colours = skin(face.points)
    lips(face, colours)
    lids(face.left_lids, colours)
    lids(face.right_lids, colours)
    return colours
