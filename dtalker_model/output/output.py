"""From the model's weights to the face: rest in silence, idle life, blinks, gains and offsets, smoothing, clamping.

Causal and frame by frame: any chunking gives the same face, and the same seed gives the same face again.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from dtalker_model.blendshapes import ARKIT_NAMES, ARTICULATION, INDEX, LOWER_FACE, UPPER_FACE
from dtalker_model.hearing.voice_activity import RELEASE_FRAMES
from dtalker_model.output.blink import Blinker
from dtalker_model.output.finite import HELD, HeldFace
from dtalker_model.output.idle import IDLE, IdleLife
from dtalker_model.output.pose import LOOK, look_weights
from dtalker_model.output.wander import follow
from dtalker_model.settings import Settings

Weights = npt.NDArray[np.float32]

RETURN_FRAMES = 4
"""After a hush the mouth comes back over 80 ms."""

_BLINK = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
_WIDE = [INDEX["eyeWideLeft"], INDEX["eyeWideRight"]]
_ARTICULATES = np.isin(np.arange(len(ARKIT_NAMES)), ARTICULATION).astype(np.float32)


class Look(Protocol):
    """Where the eyes of T frames look."""

    @property
    def eyes(self) -> Weights:
        """(T, 2) rad, to the left and down, in addition to what the face does by itself."""

    @property
    def share(self) -> Weights | None:
        """(T, 1) 0..1: how much of the face's own look is left; None for all of it."""


@dataclass(frozen=True)
class Hush:
    """A mouth that eases to rest from frame `start`, is at rest `ease_frames` later, and stays so before `until`."""

    start: int
    ease_frames: int
    until: int
    level: float = 1.0
    """How far the mouth was in motion (0..1) when the hush began: an earlier hush may still hold it."""

    def factor(self, frame: int) -> float:
        """What is left of the articulation (0..1) at `frame`."""
        if frame < self.start:
            return self.level
        eased = max(0.0, 1 - (frame - self.start + 1) / self.ease_frames) * self.level
        back = max(0.0, (frame - self.until + 1) / RETURN_FRAMES)
        return min(1.0, max(eased, back))

    def is_over(self, frame: int) -> bool:
        return frame >= self.until + RETURN_FRAMES


class LowPass:
    """One pole over time; the first row of a stream starts it."""

    def __init__(self) -> None:
        self._last: Weights | None = None

    def apply(self, rows: Weights, time_constant_ms: float) -> None:
        """Filter `rows` (T, n), one a frame, in place; 0 ms leaves them as they are."""
        last = rows[0].copy() if self._last is None else self._last
        if time_constant_ms > 0:
            share = np.float32(follow(time_constant_ms))
            for row in rows:
                row -= last
                row *= share
                row += last
                last = row
        self._last = rows[-1].copy()


class OutputStage:
    """The last stage of a `Talker`; all that it remembers between calls is here and in its parts."""

    def __init__(self, seed: int = 0) -> None:
        self._blinker = Blinker(seed)
        self._idle = IdleLife(seed)
        self._held = HeldFace()
        self.speaking: Weights = np.zeros(0, np.float32)
        """(T,) of the last call's frames: how far the mouth is let speak, 0 at rest, 1 all of it."""
        self.reset(seed)

    def reset(self, seed: int = 0) -> None:
        """Start a new stream."""
        self._blinker.reset(seed)
        self._idle.reset(seed)
        self._held.reset()
        self._hush: Hush | None = None
        self._face_filter, self._speech_filter = LowPass(), LowPass()
        self.speaking = np.zeros(0, np.float32)
        self._adjustment = _Adjustment.of(Settings())

    @property
    def faults(self) -> tuple[str, ...]:
        """What was wrong with the weights of the last call, in sentences that say what to do."""
        return (HELD,) if self._held.held else ()

    def hush(self, start_frame: int, ease_frames: int, until_frame: int) -> None:
        """Ease the mouth to rest over `ease_frames` from `start_frame` on, until `until_frame` (barge-in).

        It stays at rest for as long as the voice gate may still be closing (see `VoiceActivity.end_hangover`).
        """
        until, level = max(until_frame, start_frame + max(ease_frames, RELEASE_FRAMES)), 1.0
        if self._hush is not None:
            until, level = max(until, self._hush.until), self._hush.factor(start_frame - 1)
        self._hush = Hush(start_frame, max(1, ease_frames), until, level)

    def apply(
        self,
        weights: Weights,
        speaking: npt.NDArray[np.float32],
        start_frame: int,
        settings: Settings,
        look: Look | None = None,
    ) -> Weights:
        """The frames to show (T, 52) in 0..1.

        `weights` (T, 52) float32 is the model's output for frames `start_frame` and on; `speaking` (T,) in 0..1 is
        the voice gate of each; `look` says where the eyes look besides. `weights` is not changed; where it is not
        finite, the face before is held.
        """
        if len(weights) == 0:
            self.speaking = np.zeros(0, np.float32)
            return np.zeros_like(weights)
        if settings.seed != self._blinker.seed:
            self._blinker.reseed(settings.seed)
            self._idle.seed = settings.seed
        if settings is not self._adjustment.settings:
            self._adjustment = _Adjustment.of(settings)
        weights = self._held.apply(weights)
        silence = 1 - speaking[:, None]
        face = weights * (1 - _ARTICULATES * silence) if silence.any() else weights.copy()
        self._add_life(face, weights, speaking, settings)
        if look is not None:
            if look.share is not None:
                face[:, LOOK] *= look.share
            face += look_weights(look.eyes)
        if self._adjustment.changes:
            face *= self._adjustment.gain
            face += self._adjustment.offset
        # Before the smoothing: what was cut off must not linger in its memory.
        np.minimum(np.maximum(face, 0, out=face), 1, out=face)
        self._face_filter.apply(face, settings.smoothing_ms)
        self.speaking = speaking.copy()
        self._speech_filter.apply(self.speaking[:, None], settings.smoothing_ms)
        self._quieten(face, start_frame)
        return face

    def _add_life(self, face: Weights, weights: Weights, speaking: npt.NDArray[np.float32], settings: Settings) -> None:
        """Add idle movement and blinks to `face`, in place."""
        idle = self._idle.apply(speaking, settings.idle)
        if idle is not None:
            face[:, IDLE] += idle
        closure = self._blinker.apply(weights[:, _BLINK].max(1), settings.blink, settings.blink_rate_hz)
        if closure is not None:
            face[:, _BLINK] += (1 - face[:, _BLINK]) * closure
            face[:, _WIDE] *= 1 - closure

    def _quieten(self, face: Weights, start_frame: int) -> None:
        """Apply the hush, in place: articulation goes to rest, after the smoothing, which would delay it."""
        if self._hush is None:
            return
        frames = range(start_frame, start_frame + len(face))
        left = np.array([self._hush.factor(frame) for frame in frames], np.float32)[:, None]
        face -= _ARTICULATES * (1 - left) * (face - self._adjustment.rest)
        self.speaking *= left[:, 0]
        np.clip(face, 0, 1, out=face)
        if self._hush.is_over(frames[-1]):
            self._hush = None


@dataclass(frozen=True, eq=False)
class _Adjustment:
    """Gains and offsets of all blendshapes, kept as long as the settings stay the same."""

    settings: Settings
    gain: Weights
    offset: Weights
    rest: Weights
    """What `offset` leaves of a face at rest."""
    changes: bool
    """Whether a face is another with them."""

    @staticmethod
    def of(settings: Settings) -> "_Adjustment":
        gain, offset = np.ones(len(ARKIT_NAMES), np.float32), np.zeros(len(ARKIT_NAMES), np.float32)
        gain[UPPER_FACE], gain[LOWER_FACE] = settings.gain_upper, settings.gain_lower
        offset[UPPER_FACE], offset[LOWER_FACE] = settings.offset_upper, settings.offset_lower
        for name, value in settings.gains.items():
            gain[INDEX[name]] *= value
        for name, value in settings.offsets.items():
            offset[INDEX[name]] += value
        changes = bool((gain != 1).any() or offset.any())
        return _Adjustment(settings, gain, offset, offset.clip(0, 1), changes)
