"""What a user may set while the face talks: one frozen dataclass, the only source of names, defaults, ranges and texts.

The command line, the ROS parameters and ``launch/params.yaml`` are generated from `setting_specs`.
"""

import dataclasses
import difflib
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.errors import SettingError

LIVE = "live"
"""Value of `identity` or `emotion`: follow the voice."""

MIX = "mix"
"""Value of `emotion`: use `emotion_weights`."""


def _field(default: Any, doc: str, span: tuple[float, float] | None = None, unit: str = "") -> Any:
    metadata = {"doc": doc, "range": span, "unit": unit}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=dict, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """Every setting of a `Talker`; construction and `replace` validate, `check` compares names with a model's card.

    Mappings are copied on construction; treat them as read-only. Raises `SettingError` for a value of the wrong type,
    out of range, or (in `gains` and `offsets`) for a name that is no blendshape.
    """

    identity: str = _field(
        "default", "Whose way of speaking: a name of the model, an enrolled voice, or 'live' to infer it."
    )
    emotion: str = _field(
        "neutral", "A name of the model, an enrolled voice, 'live' to infer it, or 'mix' for emotion_weights."
    )
    emotion_weights: Mapping[str, float] = _field(
        {}, "Weight of each emotion with emotion 'mix'; a sum below 1 is filled with neutral.", (0.0, 1.0)
    )
    intensity: float = _field(1.0, "Strength of the emotion: 0 is neutral, 1 as trained, 2 exaggerated.", (0.0, 2.0))
    live_time_constant_s: float = _field(1.0, "How slowly 'live' identity and emotion follow.", (0.1, 10.0), "s")
    live_share: float = _field(
        0.0, "Share of the inferred emotion beside the chosen one; with emotion 'live' it is all of it.", (0.0, 1.0)
    )
    articulation: float = _field(
        1.0, "How clearly the mouth articulates: below 1 mumbled, above 1 exaggerated.", (0.5, 2.0)
    )
    steps: int = _field(0, "Denoising steps, one of the numbers that the model offers; 0 is its own choice.", (0, 16))
    gain_upper: float = _field(1.0, "Multiplies all blendshapes of eyes, brows, upper cheeks and nose.", (0.0, 3.0))
    gain_lower: float = _field(1.0, "Multiplies all blendshapes of jaw, lips, lower cheeks and tongue.", (0.0, 3.0))
    offset_upper: float = _field(0.0, "Added to all blendshapes of the upper face, after the gains.", (-1.0, 1.0))
    offset_lower: float = _field(0.0, "Added to all blendshapes of the lower face, after the gains.", (-1.0, 1.0))
    gains: Mapping[str, float] = _field({}, "Multiplies single blendshapes, by ARKit name.", (0.0, 3.0))
    offsets: Mapping[str, float] = _field({}, "Added to single blendshapes, by ARKit name.", (-1.0, 1.0))
    smoothing_ms: float = _field(0.0, "Time constant of a low-pass over all blendshapes; 0 is off.", (0.0, 500.0), "ms")
    blink: bool = _field(True, "Blink where the model leaves the eyes open.")
    blink_rate_hz: float = _field(0.25, "Mean number of blinks a second.", (0.0, 2.0), "Hz")
    idle: bool = _field(True, "Calm gaze, brow and head movement while nobody speaks.")
    stillness: float = _field(
        0.0, "How still head and gaze are kept: 0 as lively as recorded, 1 looks straight ahead.", (0.0, 1.0)
    )
    seed: int = _field(0, "Seed of everything random: the same seed gives the same face.", (0, 2**31 - 1))

    def __post_init__(self) -> None:
        for spec in setting_specs():
            object.__setattr__(self, spec.name, _validated(spec, getattr(self, spec.name)))
        for name in ("gains", "offsets"):
            _require_known(name, getattr(self, name), ARKIT_NAMES)

    def replace(self, **changes: Any) -> "Settings":
        """A copy with `changes`; raises `SettingError` (and changes nothing) for an unknown field or a bad value."""
        _require_known("setting", changes, [spec.name for spec in setting_specs()])
        return dataclasses.replace(self, **changes)

    @property
    def listens(self) -> bool:
        """Whether anything follows the voice."""
        return LIVE in (self.identity, self.emotion) or self.live_share > 0

    def check(
        self,
        identities: Collection[str],
        emotions: Collection[str],
        step_counts: Collection[int],
        hears: bool = True,
        articulates: bool = True,
    ) -> None:
        """Raise `SettingError` unless names and steps are those that the model offers (from its card).

        `hears` says whether the model has a listener, which 'live' and `live_share` need; `articulates` whether it
        learned other articulations than 1.
        """
        if self.articulation != 1 and not articulates:
            raise SettingError(f"articulation: this model knows 1 alone, not {self.articulation:g}; use gain.lower")
        if self.listens and not hears:
            raise SettingError("this model has no listener: choose identity and emotion by name, and live_share 0")
        _require_known("identity", [self.identity], [*identities, LIVE])
        _require_known("emotion", [self.emotion], [*emotions, LIVE, MIX])
        _require_known("emotion_weights", self.emotion_weights, emotions)
        if self.steps not in (0, *step_counts):
            offered = ", ".join(map(str, step_counts))
            raise SettingError(f"steps: {self.steps} is not what this model offers: {offered}, or 0 for its own choice")


DOTTED = {
    "gains": "gain",
    "offsets": "offset",
    "gain_upper": "gain.upper",
    "gain_lower": "gain.lower",
    "offset_upper": "offset.upper",
    "offset_lower": "offset.lower",
}
"""Names of fields as ROS parameters, where they differ: halves of the face stand beside single blendshapes."""


@dataclass(frozen=True)
class SettingSpec:
    """One field of `Settings`, described for those who build options or parameters from it."""

    name: str
    kind: type
    """One of str, float, int, bool, or dict (a mapping of names to floats)."""
    default: Any
    range: tuple[float, float] | None
    """Smallest and largest value (of each value, for a mapping), or None."""
    unit: str
    """Unit of the value, or an empty string."""
    doc: str
    """One sentence."""

    def parameter(self, key: str = "") -> str:
        """Its dotted name as a ROS parameter; of a mapping's entry `key`, for example ``gain.jawOpen``."""
        name = DOTTED.get(self.name, self.name)
        return f"{name}.{key}" if key else name


def _spec(field: "dataclasses.Field[Any]") -> SettingSpec:
    default = {} if field.default is dataclasses.MISSING else field.default
    data = field.metadata
    return SettingSpec(field.name, type(default), default, data["range"], data["unit"], data["doc"])


def setting_specs() -> tuple[SettingSpec, ...]:
    """The fields of `Settings` in their order."""
    return _SPECS


def _validated(spec: SettingSpec, value: Any) -> Any:
    """`value` as the plain Python type of `spec`, or `SettingError`."""
    if spec.kind is dict:
        return _validated_mapping(spec, value)
    if spec.kind is bool:
        if type(value).__name__ not in ("bool", "bool_"):  # bool_ is numpy's
            raise SettingError(f"{spec.name}: expected true or false, received {value!r}")
        return bool(value)
    if spec.kind is str:
        if not isinstance(value, str) or not value:
            raise SettingError(f"{spec.name}: expected a name, received {value!r}")
        return value
    return _validated_number(spec, spec.name, value)


def _validated_mapping(spec: SettingSpec, value: Any) -> dict[str, float]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise SettingError(f"{spec.name}: expected a mapping of names to numbers, received {value!r}")
    return {key: float(_validated_number(spec, f"{spec.name}[{key!r}]", number)) for key, number in value.items()}


def _validated_number(spec: SettingSpec, label: str, value: Any) -> float | int:
    assert spec.range is not None
    low, high = spec.range
    unit = f" {spec.unit}" if spec.unit else ""
    whole = spec.kind is int
    try:
        if isinstance(value, (bool, str, bytes)):
            raise TypeError
        number = float(value)
        if math.isnan(number) or (whole and not number.is_integer()):
            raise TypeError
    except (TypeError, ValueError, OverflowError):
        kind = "a whole number" if whole else "a number"
        raise SettingError(f"{label}: expected {kind} from {low:g} to {high:.10g}{unit}, received {value!r}") from None
    if not low <= number <= high:
        raise SettingError(f"{label}: {number:.10g} is out of range, allowed {low:g} to {high:.10g}{unit}")
    return int(number) if whole else number


def _require_known(label: str, received: Iterable[str], known: Collection[str]) -> None:
    for name in received:
        if name not in known:
            raise SettingError(f"{label}: unknown name {name!r}; {_suggestion(name, known)}")


def _suggestion(name: str, known: Collection[str]) -> str:
    lowered = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), list(lowered), n=1)
    if close:
        return f"did you mean {lowered[close[0]]!r}?"
    return f"known: {', '.join(known)}" if len(known) <= 20 else f"it is none of the {len(known)} known names"


_SPECS = tuple(_spec(field) for field in dataclasses.fields(Settings))
