"""The mouth as rings of vertices: from the cheeks over the lips to the line where they meet, then back into the throat.

Column 0 is the left corner; columns run over the upper lip to the right corner and back along the lower lip.
"""

from dataclasses import dataclass

import numpy as np

from dtalker_model.avatar.shape.falloff import Array, column, smoothstep
from dtalker_model.avatar.shape.surface import skin_point

COLUMNS = 56
HALF_WIDTH = 21.0
LINE_Y = 92.0
OUTER = (38.0, 19.0, 27.0)  # half width, height above and below the line, of the outermost ring


@dataclass(frozen=True)
class LipRing:
    """A ring of the lips at rest, relative to the line where they meet; mm."""

    wider: float
    above: float
    below: float
    forward: float


LIPS = (  # from the skin to the edge
    LipRing(4.0, 7.6, 9.6, 0.1),
    LipRing(2.6, 5.8, 7.4, 0.4),
    LipRing(2.0, 5.2, 6.7, 0.9),
    LipRing(1.4, 4.1, 5.3, 2.2),
    LipRing(0.8, 2.7, 3.5, 3.2),
    LipRing(0.4, 1.3, 1.7, 2.9),
    LipRing(0.1, 0.4, 0.5, 1.8),
    LipRing(0.0, 0.0, 0.0, 0.2),
)
CHEEK_RINGS = 6
BORDER_RING = CHEEK_RINGS + 2
EDGE_RING = CHEEK_RINGS + len(LIPS) - 1
CAVITY = (  # share of the width, height above and below, depth behind the edge: a bag around the teeth
    (0.99, 0.6, 0.6, 2.2),
    (0.97, 5.0, 4.5, 4.4),
    (0.94, 11.0, 9.0, 9.0),
    (0.88, 13.0, 10.5, 22.0),
    (0.80, 12.0, 10.0, 38.0),
    (0.50, 7.0, 7.0, 48.0),
)
THROAT_DEPTH = 50.0


def line_height(x: Array) -> Array:
    """Height y of the line between the closed lips: the corners a little up, a soft dip of the upper lip."""
    u = np.minimum(np.abs(x) / HALF_WIDTH, 1.0)
    return LINE_Y + 3.0 * u**2 - 0.5 * np.exp(-((x / 5.0) ** 2)) + 0.3 * np.exp(-(((np.abs(x) - 10.0) / 5.0) ** 2))


def angles() -> tuple[Array, Array]:
    """Cosine and sine (COLUMNS,) around the mouth, exactly mirrored."""
    quarter = np.linspace(0.0, np.pi / 2, COLUMNS // 4 + 1)
    # Columns crowd a little into the corners, where the lips turn most.
    quarter = quarter - 0.12 * np.sin(4.0 * quarter) / 4.0
    cosine, sine = np.cos(quarter), np.sin(quarter)
    cosine[-1] = sine[0] = 0.0
    cosine = np.concatenate([cosine, -cosine[-2::-1]])
    sine = np.concatenate([sine, sine[-2::-1]])
    return np.concatenate([cosine, cosine[-2:0:-1]]), np.concatenate([sine, -sine[-2:0:-1]])


def cupid(x: Array) -> Array:
    """Relative height of the upper lip's outline: two peaks and the dip between them."""
    return 1.0 + 0.16 * np.exp(-(((np.abs(x) - 5.5) / 4.5) ** 2)) - 0.10 * np.exp(-((x / 3.0) ** 2))


def lip_ring(ring: LipRing) -> Array:
    """(COLUMNS, 3) points of one ring of the lips."""
    cosine, sine = angles()
    x = (HALF_WIDTH + ring.wider) * cosine
    height = np.where(sine > 0, ring.above * cupid(x), ring.below) * np.abs(sine) ** 1.05 * np.sign(sine)
    y = line_height(x) + height
    points = skin_point(x, y)
    forward = ring.forward * (0.2 + 0.8 * np.abs(sine) ** 0.8)
    return points + column(np.zeros_like(x), np.zeros_like(x), forward)


def outline(share: float) -> tuple[Array, Array]:
    """x and y (COLUMNS,) of a ring between the lips (`share` 0) and the outermost ring (1)."""
    cosine, sine = angles()
    lip, (width, above, below) = LIPS[0], OUTER
    x0 = (HALF_WIDTH + lip.wider) * cosine
    y0 = line_height(x0) + np.where(sine > 0, lip.above * cupid(x0), lip.below) * np.abs(sine) ** 1.05 * np.sign(sine)
    y1 = LINE_Y + np.where(sine > 0, above, below) * sine
    return x0 + share * (width * cosine - x0), y0 + share * (y1 - y0)


def cavity_ring(edge: Array, share: float, above: float, below: float, depth: float) -> Array:
    """(COLUMNS, 3) points of a ring behind the lips' `edge` ring."""
    _, sine = angles()
    height = np.where(sine > 0, above, below) * np.sign(sine) * np.abs(sine) ** 0.7
    flat = smoothstep(0.0, 10.0, np.asarray(depth))
    y = edge[:, 1] + flat * (LINE_Y - edge[:, 1]) + height
    return column(edge[:, 0] * share, y, edge[:, 2] - depth)


def rings() -> Array:
    """(rings, COLUMNS, 3) points from the outermost ring to the throat."""
    shares = [(1.0 - i / CHEEK_RINGS) ** 1.25 for i in range(CHEEK_RINGS)]
    cheeks = [skin_point(*outline(share)) for share in shares]
    lips = [lip_ring(ring) for ring in LIPS]
    cavity = [cavity_ring(lips[-1], *row) for row in CAVITY]
    return np.stack([*cheeks, *lips, *cavity])


def throat(edge: Array) -> Array:
    """(3,) the point that closes the cavity."""
    return np.array([0.0, LINE_Y, float(np.max(edge[:, 2])) - THROAT_DEPTH])
