"""What a sink is, and what it is told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.output.pose import at_rest
from dtalker_model.rates import FRAME_RATE_HZ


class TimedWeights(Protocol):
    """What a sink needs of a `Frame`."""

    @property
    def time_s(self) -> float: ...
    @property
    def weights(self) -> npt.NDArray[np.float32]: ...
    @property
    def head(self) -> npt.NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True)
class SinkFrame:
    """One face at a time of the sink's own rate.

    Attributes:
        time_s: seconds since the stream began.
        weights: (52,) float32 in 0..1, in the order of `ARKIT_NAMES`.
        head: (5,) float32 in rad, in the order of `POSE_NAMES`.
    """

    time_s: float
    weights: npt.NDArray[np.float32]
    head: npt.NDArray[np.float32] = field(default_factory=at_rest)


@dataclass(frozen=True)
class StreamInfo:
    """What is known before the first frame."""

    begun_ns: int
    """Time of `time_s` 0, nanoseconds since the epoch."""
    live: bool = False
    """Frames come when they are to be shown; otherwise as fast as they are computed."""
    face: str = "face"
    """Name of the face."""
    names: tuple[str, ...] = ARKIT_NAMES
    frame_rate_hz: float = FRAME_RATE_HZ
    model: str = ""
    model_sha256: str = ""
    licence: str = ""
    lookahead_ms: float = 0.0
    identities: tuple[str, ...] = ()
    emotions: tuple[str, ...] = ()
    steps: int = 0
    """The model's own number of denoising steps; 0 where it is not known."""
    step_counts: tuple[int, ...] = ()
    """Numbers of steps that it offers."""
    speech: Path | None = None
    """Sound file that the face speaks, complete when the sink is closed; its start is `time_s` 0."""
    progress: Callable[[str, float], None] | None = None
    """Called with what is done and which part of it (0..1) in long work."""


class Sink(Protocol):
    """Takes the frames of one stream. Every method raises `SinkError`, or what its library raises; `FanOut` catches."""

    @property
    def label(self) -> str:
        """The text that the sink was asked for with."""

    @property
    def rate_hz(self) -> float | None:
        """Frames a second that `write` expects; None: as they come."""

    @property
    def path(self) -> Path | None:
        """The file that is written, where there is one."""

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port that are sent to, where there are any. Who listens there shows the last frame until another one
        comes: so that nobody is left with an open mouth, `FanOut` ends such a sink with a face at rest.
        """

    def open(self, info: StreamInfo) -> None:
        """Begin; called once, before anything else."""

    def write(self, frame: TimedWeights) -> None:
        """Take one frame; times ascend."""

    def close(self) -> None:
        """End, also after a failed `open` or `write`; what was written stays readable."""
