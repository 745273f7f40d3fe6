"""Teeth, gums and tongue."""

import numpy as np

from dtalker_model.avatar.shape import mouth
from dtalker_model.avatar.shape.falloff import Array, Indices, column, smoothstep
from dtalker_model.avatar.shape.mesh import Mesh, closed_tube, joined, plain
from dtalker_model.avatar.shape.palette import GUM, TONGUE, TOOTH, blend, linear
from dtalker_model.avatar.shape.surface import skin_point
from dtalker_model.avatar.targets import jaw

UPPER_WIDTHS = (7.6, 6.2, 6.4, 5.8, 5.6)  # mm, from the middle outwards
LOWER_WIDTHS = (4.9, 5.3, 5.8, 5.8, 5.6)
ARCH_RADIUS = 20.0
TOOTH_HEIGHT = (9.0, 7.6)
FRONT_GAP = 7.2  # mm between the lips' edge and the teeth
TONGUE_RINGS, TONGUE_COLUMNS = 14, 20


def front() -> float:
    """z in mm of the middle of the dental arches."""
    return float(skin_point(np.zeros(1), np.full(1, mouth.LINE_Y))[0, 2]) - FRONT_GAP


def on_arch(along: Array, set_back: float) -> tuple[Array, Array, Array]:
    """x, z and heading (radians) of points `along` mm from the middle of an arch that lies `set_back` mm further in."""
    radius = ARCH_RADIUS - set_back
    angle = np.asarray(along) / ARCH_RADIUS
    return radius * np.sin(angle), front() - ARCH_RADIUS + radius * np.cos(angle), angle


def tooth(along: float, width: float, y_gum: float, y_tip: float, set_back: float) -> tuple[Array, Indices]:
    """(points, triangles) of one tooth: a rounded block that narrows a little to the gum."""
    levels = np.array([0.0, 0.35, 0.75, 0.93, 1.0])
    sizes = np.array([0.84, 0.96, 1.0, 0.90, 0.62])
    around = 2.0 * np.pi * np.arange(12) / 12
    power = 0.55
    across = 0.5 * 0.96 * width * np.sign(np.cos(around)) * np.abs(np.cos(around)) ** power
    deep = 2.1 * np.sign(np.sin(around)) * np.abs(np.sin(around)) ** power
    x0, z0, heading = on_arch(np.array(along), set_back)
    sign = 1.0 if y_tip > y_gum else -1.0
    rings = []
    for level, size in zip(levels, sizes):
        dx, dz = size * across, size * deep
        x = x0 + dx * np.cos(heading) + dz * np.sin(heading)
        z = z0 - dx * np.sin(heading) + dz * np.cos(heading)
        rings.append(column(x, np.full(12, y_gum + level * (y_tip - y_gum)), z))
    stacked = np.stack(rings)[:, :: -int(sign)]
    tip = stacked[-1].mean(axis=0) + np.array([0.0, 0.1 * sign, 0.0])
    return closed_tube(stacked, None, tip)


def gum(y: float, set_back: float) -> tuple[Array, Indices]:
    """(points, triangles) of the gum along an arch."""
    x, z, heading = on_arch(np.linspace(-33.0, 33.0, 23), set_back)
    around = 2.0 * np.pi * np.arange(8) / 8
    out = column(np.sin(heading), np.zeros_like(heading), np.cos(heading))
    middle = column(x, np.full_like(x, y), z)
    rings = middle[:, None] + 3.0 * np.sin(around)[:, None] * out[:, None]
    rings = rings + 3.2 * np.cos(around)[:, None] * np.array([0.0, 1.0, 0.0])
    return closed_tube(rings, middle[0], middle[-1])


def lower_moves(points: Array, share: float, drawn_in: tuple[float, float, float]) -> dict[str, Array]:
    """Targets of what follows the jaw by `share`; `drawn_in` keeps it behind the stretched skin of closed lips."""
    way = np.tile(np.array(drawn_in), (len(points), 1))
    return {**jaw.moves(points, np.full(len(points), share)), "mouthClose": way}


def teeth(lower: bool) -> Mesh:
    """One row of teeth with its gum; the lower one follows the jaw."""
    widths, set_back = (LOWER_WIDTHS, 2.2) if lower else (UPPER_WIDTHS, 0.0)
    tip = mouth.LINE_Y + (-1.0 if lower else -0.6)
    root = tip - TOOTH_HEIGHT[1] if lower else tip + TOOTH_HEIGHT[0]
    parts, along = [], 0.0
    for width in widths:
        for sign in (1.0, -1.0):
            parts.append(tooth(sign * (along + width / 2), width, root, tip, set_back))
        along += width
    count = sum(len(points) for points, _ in parts)
    parts.append(gum(root, set_back))
    points, triangles = joined(parts)
    colours = np.concatenate([plain(points[:count], TOOTH), plain(points[count:], GUM)])
    targets = lower_moves(points, 1.0, (0.0, 5.0, -11.0)) if lower else {}
    return Mesh("TeethLower" if lower else "TeethUpper", "inside", points, triangles, colours, targets)


def tongue() -> Mesh:
    """The tongue: rests behind the lower teeth, comes out between the lips with tongueOut."""
    t = np.sin(0.5 * np.pi * np.linspace(0.0, 0.985, TONGUE_RINGS))
    around = 2.0 * np.pi * np.arange(TONGUE_COLUMNS) / TONGUE_COLUMNS
    start, length = front() - 42.0, 36.0
    width = 14.5 * np.sqrt(np.clip(1.0 - (t / 1.01) ** 5, 0.0, 1.0))
    thick = 4.2 * np.sqrt(np.clip(1.0 - (t / 1.01) ** 6, 0.0, 1.0))
    x = width[:, None] * np.cos(around)
    y = mouth.LINE_Y - 7.0 + 1.5 * np.sin(np.pi * t)[:, None] + thick[:, None] * np.sin(around)
    y = y - 1.3 * np.exp(-((x / 3.0) ** 2)) * (np.sin(around) > 0) * np.sin(np.pi * t)[:, None] ** 0.5
    z = start + length * t[:, None] + 0.0 * x
    rings = column(x, y, z)
    points, triangles = closed_tube(rings, rings[0].mean(axis=0), rings[-1].mean(axis=0))
    share = smoothstep(start, start + length, points[:, 2])
    out = column(-0.25 * points[:, 0] * share, 6.0 * share - 9.0 * share**4, 33.0 * share)
    targets = {**lower_moves(points, 0.85, (0.0, 3.0, -6.0)), "tongueOut": out}
    deep = smoothstep(start + length, start, points[:, 2])
    colours = blend(linear(TONGUE), 0.45 * linear(TONGUE), deep)
    return Mesh("Tongue", "inside", points, triangles, colours, targets)


def build() -> list[Mesh]:
    """Teeth and tongue."""
    return [teeth(lower=False), teeth(lower=True), tongue()]
