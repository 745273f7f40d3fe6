"""The morph targets of mouth, jaw and lower cheeks on the skin. Millimetres; see `jaw.MouthFrame` for the terms."""

import numpy as np

from dtalker_model.avatar.shape import mouth
from dtalker_model.avatar.shape.falloff import Array, bump, column, left_half, smoothstep
from dtalker_model.avatar.shape.surface import over_skin
from dtalker_model.avatar.targets import jaw
from dtalker_model.avatar.targets.jaw import MouthFrame


def near(frame: MouthFrame, inner_mm: float, outer_mm: float) -> Array:
    """(V,) 1 within `inner_mm` of the line between the lips, 0 from `outer_mm`."""
    return smoothstep(outer_mm, inner_mm, frame.away)


def arch(frame: MouthFrame, power: float = 0.6) -> Array:
    """(V,) 1 in the middle of the mouth, 0 from its corners outwards."""
    return np.maximum(1.0 - frame.across**2, 0.0) ** power


def upper(frame: MouthFrame) -> Array:
    """(V,) 1 above the line between the lips, 0 below."""
    return (frame.side > 0).astype(np.float64)


def lower(frame: MouthFrame) -> Array:
    """(V,) 1 below the line between the lips, 0 above."""
    return (frame.side < 0).astype(np.float64)


def corner(frame: MouthFrame, outer_mm: float, power: float = 1.2) -> Array:
    """(V,) 1 around the left corner of the mouth, 0 at its middle and `outer_mm` away from it.

    A `power` of 2 bends the line between the lips as a parabola.
    """
    return np.clip(frame.points[:, 0] / mouth.HALF_WIDTH, 0.0, 1.0) ** power * near(frame, 3.0, outer_mm)


def shift(weight: Array, x: float, y: float, z: float) -> Array:
    """(V, 3) the way (x, y, z) mm by weight (V,)."""
    return weight[:, None] * np.array([x, y, z])


def along_z(weight: Array) -> Array:
    """(V, 3) forward by `weight` (V,) mm."""
    return column(np.zeros_like(weight), np.zeros_like(weight), weight)


def narrow(frame: MouthFrame, share: Array) -> Array:
    """(V, 3) towards the middle by a share (V,) of the distance from it."""
    return column(-frame.points[:, 0] * share, np.zeros_like(share), np.zeros_like(share))


def close(frame: MouthFrame) -> Array:
    """mouthClose: exactly what the open jaw (jawOpen = 1) needs for the lips to meet again."""
    x = frame.points[:, 0]
    half = mouth.COLUMNS // 2
    line = frame.edge[: half + 1, 0]
    rows = lip_gap(frame)
    at = np.stack([np.interp(x, line[::-1], rows[::-1, k]) for k in range(3)], axis=-1)
    weight = np.where(frame.side < 0, -0.70 * near(frame, 9.0, 27.0), 0.30 * near(frame, 7.0, 22.0))
    return weight[:, None] * at * (frame.side != 0)[:, None]


def lip_gap(frame: MouthFrame) -> Array:
    """(COLUMNS / 2 + 1, 3) way of the lower lip's edge relative to the upper one's when the jaw is open."""
    edge = frame.edge[: mouth.COLUMNS // 2 + 1]
    u = np.minimum(np.abs(edge[:, 0]) / mouth.HALF_WIDTH, 1.0)
    lower_share, upper_share = jaw.edge_shares(u)
    return (lower_share - upper_share)[:, None] * jaw.opening(edge)


def rounded(frame: MouthFrame) -> dict[str, Array]:
    """mouthFunnel and mouthPucker: the ring of the lips contracts and comes forward."""
    lips, fade = near(frame, 9.0, 34.0), near(frame, 10.0, 24.0)
    thick = np.clip(frame.height / 9.0, -1.0, 1.0)
    bend = mouth.line_height(frame.points[:, 0]) - mouth.LINE_Y
    level = column(np.zeros_like(bend), -0.9 * bend * lips, np.zeros_like(bend))
    pucker = level + narrow(frame, 0.46 * lips) + along_z(9.5 * lips * (0.55 + 0.45 * arch(frame)))
    pucker += column(np.zeros_like(thick), 2.6 * thick * fade * (0.5 + 0.5 * arch(frame)), np.zeros_like(thick))
    open_up = 6.0 * upper(frame) - 6.2 * lower(frame)
    flare = near(frame, 0.0, 22.0) * arch(frame, 0.5)
    funnel = level + narrow(frame, 0.36 * lips) + along_z(8.0 * lips * (0.5 + 0.5 * arch(frame)))
    funnel += column(np.zeros_like(thick), open_up * flare, 1.5 * flare)
    return {"mouthFunnel": funnel, "mouthPucker": pucker}


def rolled(frame: MouthFrame) -> dict[str, Array]:
    """mouthRoll, mouthShrug: one lip at a time turns in over the teeth, or is pushed up and out."""
    lip, skin = near(frame, 6.0, 17.0), near(frame, 8.0, 30.0)
    thin = np.clip(np.abs(frame.height) / 9.0, 0.0, 1.0)
    middle = arch(frame, 0.7)
    # The red turns in most; the edge stays near the other lip, so that no gap opens to the side.
    inwards = along_z(-5.0 * lip * middle * (0.45 + 0.55 * np.sin(np.pi * thin)))
    roll = column(np.zeros_like(lip), -frame.side * 6.4 * lip * middle * thin, np.zeros_like(lip)) + inwards
    chin = bump(frame.points, (0.0, 70.0), (19.0, 13.0)) * lower(frame)
    raised = middle * (lower(frame) * skin + upper(frame) * near(frame, 1.0, 15.0))
    shrug_lower = shift(raised, 0.0, 4.2, 2.2) + shift(chin, 0.0, 4.0, 2.5)
    pushed = middle * (upper(frame) * skin + lower(frame) * near(frame, 0.5, 9.0))
    shrug_upper = shift(pushed, 0.0, 3.6, 2.4)
    return {
        "mouthRollLower": roll * lower(frame)[:, None],
        "mouthRollUpper": roll * upper(frame)[:, None],
        "mouthShrugLower": shrug_lower,
        "mouthShrugUpper": shrug_upper,
    }


def smile(frame: MouthFrame) -> Array:
    """mouthSmileLeft: the corner goes out, up and back; the cheek rounds."""
    cheek = bump(frame.points, (38.0, 110.0), (15.0, 13.0))
    middle = left_half(frame.points[:, 0]) * near(frame, 3.0, 26.0) * (1.0 - frame.across**2)
    raised = shift(corner(frame, 33.0, 2.0), 0.0, 9.0, -2.5) + shift(middle, 0.0, 2.2, -0.5)
    return raised + shift(corner(frame, 33.0), 6.0, 0.0, -2.5) + shift(cheek, 1.0, 3.5, 3.5)


def press(frame: MouthFrame) -> Array:
    """mouthPressLeft: the lips squeeze each other thin, the corner tightens."""
    lip = near(frame, 6.0, 18.0) * left_half(frame.points[:, 0])
    thin = np.clip(frame.height / 9.0, -1.0, 1.0)
    squeeze = column(np.zeros_like(lip), -3.4 * thin * lip, -1.6 * lip * (1.0 - np.abs(thin)))
    return squeeze + shift(corner(frame, 20.0), 1.2, 0.8, -2.0)


def left_sided(frame: MouthFrame) -> dict[str, Array]:
    """The left one of each pair, by its name without the side."""
    x = frame.points[:, 0]
    half = left_half(x, 11.0)
    peak = half * arch(frame, 0.5)
    parted = near(frame, 7.0, 27.0)
    crease = bump(frame.points, (17.0, 112.0), (9.0, 9.0))
    return {
        "mouthSmile": smile(frame),
        "mouthFrown": shift(corner(frame, 30.0, 2.0), 1.0, -8.5, -2.5),
        "mouthDimple": shift(corner(frame, 22.0), 5.0, 1.0, -6.5),
        "mouthStretch": shift(corner(frame, 32.0), 9.0, -3.2, -5.5),
        "mouthPress": press(frame),
        "mouthLowerDown": shift(lower(frame) * peak * parted, 0.8, -8.5, 0.8),
        "mouthUpperUp": shift(upper(frame) * peak * parted, 0.5, 7.5, 1.0) + shift(crease, 0.0, 1.6, 0.8),
    }


def sideways(frame: MouthFrame) -> Array:
    """mouthLeft: the whole mouth goes towards the character's left."""
    weight = near(frame, 8.0, 34.0)
    return over_skin(frame.points, 9.0 * weight, 0.6 * weight) + shift(corner(frame, 24.0), 0.0, 1.0, -2.5)


def puff(frame: MouthFrame) -> Array:
    """cheekPuff: both cheeks fill with air, the lips come along a little."""
    total = shift(near(frame, 4.0, 16.0) * arch(frame, 0.4), 0.0, 0.0, 2.0)
    for sign in (1.0, -1.0):
        cheek = bump(frame.points, (sign * 37.0, 94.0), (16.0, 16.0)) * smoothstep(0.0, 30.0, frame.points[:, 2])
        total = total + shift(cheek, sign * 5.8, 0.0, 8.5)
    return total


def tongue_way(frame: MouthFrame) -> Array:
    """tongueOut on the skin: the lips part just enough for the tongue."""
    lips = near(frame, 5.0, 22.0) * arch(frame, 0.6)
    return shift(lower(frame) * lips, 0.0, -6.5, 1.0) + shift(upper(frame) * lips, 0.0, 1.6, 0.5)


def one_sided(frame: MouthFrame) -> dict[str, Array]:
    """Those that have no left and right partner, as displacements (V, 3)."""
    return {
        **jaw.moves(frame.points, jaw.follow(frame), jaw.follow_sealed(frame)),
        "mouthClose": close(frame),
        **rounded(frame),
        **rolled(frame),
        "mouthLeft": sideways(frame),
        "cheekPuff": puff(frame),
        "tongueOut": tongue_way(frame),
    }
