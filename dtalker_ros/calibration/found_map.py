"""What a recording says about a head: which joints move the face, the map of each, and the YAML that has it."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dtalker_model.joint_maps import CHANNELS, JointMap, fit_joint, head_text, weighted
from dtalker_ros.calibration.sweep import Recording, Sweep
from dtalker_ros.joints.head import Head, Joint

LEAST_MOVE = 0.05
"""Of a coefficient (or rad): what moves no channel by more is no joint of the face."""
NOISES = 6.0
"""So many standard deviations of a row, at least."""
LEAST_EXPLAINED = 0.8
"""Share of a joint's variance that its map must explain."""
LEAST_SHARE = 0.03
"""Of a joint's range: less may be what the landmarker mistakes, which is the same each time."""
ALIKE = 0.25
"""Where left and right differ by less than this share of what they do, no joint told them apart."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Found:
    """The maps by joint, and for each joint that has none, why."""

    maps: dict[str, JointMap]
    refused: dict[str, str]


def find(head: Head, recording: Recording) -> Found:
    """The maps of the joints that move the face."""
    refused = {s.joint: why for s in recording.sweeps if (why := _why_not(s, recording.noise)) is not None}
    sweeps = [sweep for sweep in recording.sweeps if sweep.joint not in refused]
    maps: dict[str, JointMap] = {}
    if sweeps:
        # What no joint moves beyond the noise would only bring noise into the maps.
        moving = np.any([_moving(sweep, recording.noise) for sweep in sweeps], axis=0)
        face = np.concatenate([sweep.face for sweep in sweeps]) * moving
        # Mixed, so that no fifth that is held out has all of one joint.
        mixed = np.random.default_rng(0).permutation(len(face))
        names, columns = paired(face[mixed])
        for joint in (joint for joint in head.joints if joint.name not in refused):
            rows = [s.positions if s.joint == joint.name else np.full(len(s.positions), joint.neutral) for s in sweeps]
            found = fit_joint(names, columns, np.concatenate(rows)[mixed], LEAST_SHARE)
            if found.explained < LEAST_EXPLAINED:
                refused[joint.name] = f"the face tells only {found.explained:.0%} of where it is"
            else:
                maps[joint.name] = parted(found)
    return Found(maps, refused)


def _why_not(sweep: Sweep, noise: Floats) -> str | None:
    """Why a joint has no map, as far as its own sweep tells; None where it may have one."""
    if sweep.unseen > len(sweep.positions):
        return f"no face was seen at {sweep.unseen} of {sweep.unseen + len(sweep.positions)} positions"
    if _moving(sweep, noise).any():
        return None
    moved = np.abs(sweep.face).max(axis=0)
    strongest = int(np.argmax(moved))
    return f"it does not move the face ({CHANNELS[strongest]} by {moved[strongest]:.3f} at most)"


def _moving(sweep: Sweep, noise: Floats) -> NDArray[np.bool_]:
    """Which channels (57,) a joint moves."""
    return np.abs(sweep.face).max(axis=0, initial=0.0) > np.maximum(LEAST_MOVE, NOISES * noise)


def paired(face: Floats) -> tuple[tuple[str, ...], Floats]:
    """Channels (T, C) that are not all 0, with left and right as one, ``Left+``, where they did the same: the fit would
    choose one of them by chance.
    """
    names: list[str] = []
    columns: list[Floats] = []
    for name, column in ((name, column) for name, column in zip(CHANNELS, face.T) if column.any()):
        twin = name.removesuffix("Left") + "Right" if name.endswith("Left") else name.removesuffix("Right") + "Left"
        other = face[:, CHANNELS.index(twin)] if twin in CHANNELS else None
        alike = other is not None and np.ptp(column - other) < ALIKE * max(np.ptp(column), np.ptp(other))
        if not alike:
            names.append(name)
            columns.append(column)
        elif name.endswith("Left") and other is not None:
            names.append(f"{name}+")
            columns.append((column + other) / 2)
    return tuple(names), np.column_stack(columns)


def parted(found: JointMap) -> JointMap:
    """The map with half of a pair's weight for each side."""
    weights: dict[str, float] = {}
    for name, weight in found.weights.items():
        sides = [name] if not name.endswith("+") else [name[:-1], name[:-1].removesuffix("Left") + "Right"]
        weights |= dict.fromkeys(sides, weight / len(sides))
    return JointMap(**{**asdict(found), "weights": weights})


def calibrated_text(head: Head, found: Found) -> str:
    """The YAML of `head` with the maps that were found; joints without one keep what they had, and it says why."""
    joints = {}
    for joint in head.joints:
        if (new := found.maps.get(joint.name)) is not None:
            joints[joint.name] = told(joint, new), _keys(joint, {**weighted(new.weights)})
        else:
            old: dict[str, Any] = {"weights": dict(joint.weights), **({"curve": joint.curve} if joint.curve else {})}
            old |= {"invert": True} if joint.invert else {}
            joints[joint.name] = f"Not calibrated: {found.refused[joint.name]}.", _keys(joint, old)
    rules = [{"name": rule.name, "sum": dict(rule.factors), "at_most": rule.at_most} for rule in head.rules]
    rest = {"soft_velocity": head.soft_velocity, **({"rules": rules} if rules else {})}
    return head_text([f"{head.place}, its map as a camera saw it (calibrate_head)."], joints, rest)


def told(joint: Joint, found: JointMap) -> str:
    """One line about a map that was found."""
    share = found.held_out_error / (joint.maximum - joint.minimum)
    return f"Error {found.held_out_error:.3g} {joint.unit} ({share:.1%} of its range), {len(found.weights)} weights."


def _keys(joint: Joint, mapped: dict[str, Any]) -> dict[str, Any]:
    """All keys of a joint, `mapped` for its map."""
    return {
        **mapped,
        "unit": joint.unit,
        "neutral": joint.neutral,
        "range": [joint.minimum, joint.maximum],
        "limits": asdict(joint.limits),
        "dead_band": joint.dead_band,
        "lead_s": joint.lead_s,
        "release_after_s": "never" if joint.release_after_s is None else joint.release_after_s,
        **({"heat": asdict(joint.heat)} if joint.heat else {}),
        **({"servo": dict(joint.servo)} if joint.servo else {}),
    }
