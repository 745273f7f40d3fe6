"""The jaw: how much each point of the skin, teeth and tongue follows it, and the way it goes."""

from dataclasses import dataclass

import numpy as np

from dtalker_model.avatar.shape import mouth
from dtalker_model.avatar.shape.face import Face
from dtalker_model.avatar.shape.falloff import Array, column, smoothstep

HINGE = (128.0, -8.0)  # y, z of the axis between the ears
OPEN_DEG = 11.0
OPEN_SLIDE = (-8.0, 5.0)  # y, z: the joint slides down and forward as it opens
CAVITY_AWAY = (0.0, 3.0, 8.0, 16.0, 26.0, 34.0)  # mm: the pocket behind the lips goes where they go
SEALED_SHARE = 0.7  # of the sliding jaw's way, made by the closed lips
CORNER_SHARE = 0.40  # of the jaw's way, made by the corners of the mouth


@dataclass(frozen=True)
class MouthFrame:
    """Where the skin's points lie as seen from the mouth at rest."""

    points: Array
    """(V, 3) mm."""
    side: Array
    """(V,) +1 above the line between the lips, -1 below, 0 in the corners."""
    height: Array
    """(V,) mm above (negative: below) the line between the lips."""
    across: Array
    """(V,) 0 in the middle of the mouth, 1 from the corners outwards."""
    away: Array
    """(V,) mm from the line between the lips."""
    edge: Array
    """(COLUMNS, 3) mm, the line between the lips."""


def distance_to_line(points: Array, edge: Array) -> Array:
    """(V,) mm from the polyline `edge` (N, 3)."""
    start, step = edge[:-1], np.diff(edge, axis=0)
    t = np.einsum("vnk,nk->vn", points[:, None] - start, step) / np.sum(step * step, axis=1)
    nearest = start + np.clip(t, 0.0, 1.0)[..., None] * step
    return np.min(np.linalg.norm(points[:, None] - nearest, axis=-1), axis=1)


def mouth_frame(face: Face) -> MouthFrame:
    """The frame of the whole skin."""
    points = face.points
    above = points[:, 1] - mouth.line_height(points[:, 0])
    side = np.sign(above)
    side[face.mouth] = np.sign(np.round(mouth.angles()[1], 12))
    side[face.throat] = -1.0
    edge = points[face.mouth[mouth.EDGE_RING]]
    away = distance_to_line(points, edge[: mouth.COLUMNS // 2 + 1])
    away[face.mouth[mouth.EDGE_RING + 1 :]] = np.array(CAVITY_AWAY)[:, None]
    away[face.throat] = CAVITY_AWAY[-1]
    across = np.minimum(np.abs(points[:, 0]) / mouth.HALF_WIDTH, 1.0)
    height = np.where(side == 0.0, above, side * np.abs(above))
    height[face.mouth[:, [0, mouth.COLUMNS // 2]]] = 0.0
    return MouthFrame(points, side, height, across, away, edge)


def edge_shares(across: Array) -> tuple[Array, Array]:
    """Shares of the jaw's way made by the lower and the upper lip's edge; the same in the corners."""
    return CORNER_SHARE + (1.0 - CORNER_SHARE) * (1.0 - across**2) ** 0.55, CORNER_SHARE * across**3


def follow(frame: MouthFrame) -> Array:
    """(V,) share of the jaw's way that the skin makes, 0..1."""
    height = frame.height
    lower, upper = edge_shares(frame.across)
    below = lower + (1.0 - lower) * smoothstep(0.0, -30.0, height)
    above = upper * smoothstep(24.0, 0.0, height)
    front = smoothstep(-8.0, 40.0, frame.points[:, 2])
    return np.where(height <= 0.0, np.where(frame.side > 0, above, below), above) * front


def follow_sealed(frame: MouthFrame) -> Array:
    """(V,) the same for the jaw's sliding, in which the closed lips go together."""
    height = frame.height
    below = SEALED_SHARE + (1.0 - SEALED_SHARE) * smoothstep(0.0, -26.0, height)
    above = SEALED_SHARE * smoothstep(22.0, 0.0, height)
    return np.where(height <= 0.0, below, above) * smoothstep(-8.0, 40.0, frame.points[:, 2])


def opening(points: Array) -> Array:
    """(V, 3) way of points that follow the fully open jaw."""
    y, z = points[..., 1] - HINGE[0], points[..., 2] - HINGE[1]
    sine, cosine = np.sin(np.radians(OPEN_DEG)), np.cos(np.radians(OPEN_DEG))
    dy = cosine * y - sine * z - y + OPEN_SLIDE[0]
    dz = sine * y + cosine * z - z + OPEN_SLIDE[1]
    return column(np.zeros_like(dy), dy, dz)


def moves(points: Array, share: Array, sliding_share: Array | None = None) -> dict[str, Array]:
    """The four jaw targets of points (V, 3) that follow the opening jaw by `share` (V,), the sliding one likewise."""
    weight = (share if sliding_share is None else sliding_share)[:, None]
    return {
        "jawForward": weight * np.array([0.0, -0.5, 8.0]),
        "jawLeft": weight * np.array([7.0, -0.6, -0.5]),
        "jawRight": weight * np.array([-7.0, -0.6, -0.5]),
        "jawOpen": share[:, None] * opening(points),
    }
