"""The ROS parameters of the talker node: those of `dtalker_model.Settings` by their ROS names, and the node's own.

A mapping field becomes one parameter for each name: `gains` is `gain.<blendshape>`, `offsets` is `offset.<blendshape>`,
`emotion_weights` is `emotion_weights.<emotion>`; `gain_upper` is `gain.upper` and so on. No rclpy in here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.errors import SettingError
from dtalker_model.settings import Settings, SettingSpec, setting_specs
from dtalker_ros.audio.pcm import AudioFormat, sample_format
from dtalker_ros.expression.expressed_talker import ExpressionConfig
from dtalker_ros.timing.timeline_config import TimelineConfig

PACINGS = ("clock", "asap")

_NEUTRAL = {"gains": 1.0, "offsets": 0.0, "emotion_weights": 0.0}


@dataclass(frozen=True)
class ParameterSpec:
    """One ROS parameter."""

    name: str
    default: Any
    """Its type is the parameter's type: str, float, int or bool."""
    doc: str
    """One sentence."""
    range: tuple[float, float] | None = None
    unit: str = ""
    read_only: bool = False
    setting: tuple[str, str] | None = None
    """Field of `Settings` and, for a mapping, the key in it (else an empty string); None: the node's own."""

    @property
    def description(self) -> str:
        """The sentence for the descriptor, with unit and default."""
        unit = f" [{self.unit}]" if self.unit else ""
        return f"{self.doc}{unit} Default: {yaml_value(self.default)}."


def yaml_value(value: Any) -> str:
    """`value` as YAML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else repr(value)


NODE_PARAMETERS: tuple[ParameterSpec, ...] = (
    ParameterSpec(
        "playout_delay_ms",
        80.0,
        "From a sample's time (stamp or arrival) to the moment its frame is shown; more absorbs a jittery input.",
        (80.0, 5000.0),
        "ms",
    ),
    ParameterSpec(
        "publish_rate_hz", 50.0, "Frames published a second; below 50 they are interpolated in time.", (1.0, 50.0), "Hz"
    ),
    ParameterSpec("pacing", "clock", "'clock': live, frames in real time; 'asap': offline, as fast as audio comes in."),
    ParameterSpec("frame_id", "face", "Name of the face, in the header of every message."),
    ParameterSpec(
        "gap_ms",
        0.0,
        "Input that stalls for this long has ended and silence follows; 0: told from its jitter, 100 ms at most.",
        (0.0, 5000.0),
        "ms",
    ),
    ParameterSpec(
        "max_lateness_ms",
        500.0,
        "When the node falls behind by more than this, the oldest audio is dropped.",
        (100.0, 60000.0),
        "ms",
    ),
    ParameterSpec(
        "max_queue_s", 600.0, "Audio that may wait to be spoken; beyond it the oldest is dropped.", (1.0, 7200.0), "s"
    ),
    ParameterSpec(
        "expression_timeout_s",
        10.0,
        "An expression from the topic is shown until this long after its message; 0: until the next one.",
        (0.0, 86400.0),
        "s",
    ),
    ParameterSpec("expression_fade_s", 0.3, "How long the face takes to change to it.", (0.0, 10.0), "s"),
    ParameterSpec(
        "expression_return_s", 1.0, "How long it takes to return to what the parameters say.", (0.0, 60.0), "s"
    ),
    ParameterSpec("model", "dtalker", "A shipped model's name or the path of an .onnx file.", read_only=True),
    ParameterSpec("threads", 1, "Threads of inference; one is enough for one face.", (1, 64), read_only=True),
    ParameterSpec(
        "audio_type",
        "",
        "Type of the audio topic, such as std_msgs/msg/Int16MultiArray; empty: found from its publishers.",
        read_only=True,
    ),
    ParameterSpec(
        "audio_sample_rate_hz",
        0,
        "Sample rate of messages that do not say; 0: as AudioInfo says, else 16000.",
        (0, 192000),
        "Hz",
        read_only=True,
    ),
    ParameterSpec(
        "audio_channels",
        0,
        "Interleaved channels of messages that do not say; 0: as AudioInfo says, else 1.",
        (0, 64),
        read_only=True,
    ),
    ParameterSpec(
        "audio_format",
        "",
        "Format of raw bytes, such as S16LE, F32LE or U8; empty: as AudioInfo says, else S16LE.",
        read_only=True,
    ),
    ParameterSpec("autostart", True, "Configure and activate at start; false: a manager leads.", read_only=True),
)
"""What is not a setting of the talker."""


def setting_parameters(emotions: Iterable[str]) -> tuple[ParameterSpec, ...]:
    """The parameters that stand for `Settings`, for a model that knows `emotions`."""
    keys = {"gains": ARKIT_NAMES, "offsets": ARKIT_NAMES, "emotion_weights": tuple(emotions)}
    specs: list[ParameterSpec] = []
    for spec in setting_specs():
        if spec.kind is dict:
            specs += [_single(spec, key) for key in keys[spec.name]]
        else:
            name, setting = spec.parameter(), (spec.name, "")
            specs.append(ParameterSpec(name, spec.default, spec.doc, spec.range, spec.unit, setting=setting))
    return tuple(specs)


def _single(spec: SettingSpec, key: str) -> ParameterSpec:
    verb = {"gains": "Multiplies", "offsets": "Added to", "emotion_weights": "Share of"}[spec.name]
    suffix = " with emotion 'mix'" if spec.name == "emotion_weights" else ""
    name = spec.parameter(key)
    return ParameterSpec(
        name, _NEUTRAL[spec.name], f"{verb} {key}{suffix}.", spec.range, spec.unit, setting=(spec.name, key)
    )


def setting_changes(
    values: Mapping[str, Any], specs: Mapping[str, ParameterSpec], settings: Settings
) -> dict[str, Any]:
    """Parameter `values` by ROS name as changes for `Settings.replace`; the node's own are passed over."""
    changes: dict[str, Any] = {}
    for name, value in values.items():
        spec = specs.get(name)
        if spec is None or spec.setting is None:
            continue
        field, key = spec.setting
        if not key:
            changes[field] = value
            continue
        mapping = changes.setdefault(field, dict(getattr(settings, field)))
        mapping[key] = value
        if value == spec.default:
            del mapping[key]
    return changes


def timeline_config(values: Mapping[str, Any]) -> TimelineConfig:
    """How audio is laid out in time; raises `SettingError` for an unknown pacing."""
    if values["pacing"] not in PACINGS:
        raise SettingError(f"pacing: received {values['pacing']!r}, expected 'clock' or 'asap'")
    names = ("playout_delay_ms", "gap_ms", "max_lateness_ms", "max_queue_s")
    return TimelineConfig(asap=values["pacing"] == "asap", **{name: values[name] for name in names})


def expression_config(values: Mapping[str, Any]) -> ExpressionConfig:
    """How long expressions that others ask for are shown."""
    names = ("timeout_s", "fade_s", "return_s")
    return ExpressionConfig(**{name: values[f"expression_{name}"] for name in names})


def declared_format(values: Mapping[str, Any], announced: AudioFormat | None) -> AudioFormat:
    """Format of audio that does not describe itself: the parameters, else what AudioInfo `announced`, else defaults.

    Raises `AudioError` for an unknown `audio_format`.
    """
    fallback = announced or AudioFormat()
    name = values["audio_format"]
    return AudioFormat(
        values["audio_sample_rate_hz"] or fallback.sample_rate_hz,
        values["audio_channels"] or fallback.channels,
        sample_format(name) if name else fallback.form,
    )
