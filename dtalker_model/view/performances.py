"""What the face can be doing: resting, speaking a clip, following a microphone. Each knows its own clock."""

import time
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from dtalker_model.rates import FRAME_SAMPLES, SAMPLE_RATE_HZ
from dtalker_model.talker import Frame, Talker
from dtalker_model.view.sound import Sound

AHEAD_S = 0.2
"""Frames of a clip are computed so long before they are shown."""
LEAD_S = 0.3
"""A clip begins so long after the request: the pages get its first frames before they start the sound."""
TAIL_S = 0.3
"""After the clip's last sample."""
SILENT_S = 0.15
"""A microphone that sent nothing for so long has stopped; its pieces come every 20 ms, on a busy network in bursts."""
EASE_MS = 100.0
"""The mouth is at rest within this then."""
LATEST_S = 0.5
"""Rest that was held up for longer, or watched by nobody, leaves out what is past."""


class Performance(ABC):
    """One stream of frames. `from_s` is added to the talker's own time, which begins at 0."""

    kind: str
    from_s: float = 0.0
    over: bool = False
    """Whether the next one should begin."""
    hears: object = None
    """What is heard, if anything: what is wrong with it is said once, however often it is played."""

    def __init__(self, talker: Talker, stream: int) -> None:
        self.stream = stream
        self._talker = talker
        self._start_s = time.monotonic()

    @property
    def position_s(self) -> float:
        """Time of the stream now."""
        return time.monotonic() - self._start_s + self.from_s

    def clock(self) -> dict[str, Any]:
        """Where the stream is now, for the pages."""
        return {"stream": self.stream, "position_s": self.position_s}

    @abstractmethod
    def due(self) -> list[Frame]:
        """Frames that should be shown soon."""


class Rest(Performance):
    """Silence in real time: the face blinks, looks around and shows what the sliders say."""

    kind = "rest"

    def __init__(self, talker: Talker, stream: int) -> None:
        super().__init__(talker, stream)
        self._silence = np.zeros(FRAME_SAMPLES, np.float32)

    def due(self) -> list[Frame]:
        """See `Performance`."""
        missing = int(self.position_s * SAMPLE_RATE_HZ) // FRAME_SAMPLES - self._talker.samples // FRAME_SAMPLES
        if missing * FRAME_SAMPLES > LATEST_S * SAMPLE_RATE_HZ:  # nobody watched for a while
            self._start_s += (missing - 1) * FRAME_SAMPLES / SAMPLE_RATE_HZ
            missing = 1
        return [frame for _ in range(missing) for frame in self._talker.push(self._silence, SAMPLE_RATE_HZ)]


class Clip(Performance):
    """A sound, fed to the talker `AHEAD_S` before it is heard."""

    kind = "clip"

    def __init__(self, talker: Talker, stream: int, sound: Sound, from_s: float) -> None:
        super().__init__(talker, stream)
        self.sound, self.hears, self.from_s = sound, sound, from_s
        self._start_s += LEAD_S
        self._next = round(from_s * sound.sample_rate_hz)
        self._ended = False

    def due(self) -> list[Frame]:
        """See `Performance`."""
        reach_s = AHEAD_S + self._talker.card.lookahead_samples / SAMPLE_RATE_HZ
        until = round((self.position_s + reach_s) * self.sound.sample_rate_hz)
        frames: list[Frame] = []
        chunk = self.sound.sample_rate_hz // 50
        while self._next + chunk <= min(until, len(self.sound.pcm)):
            frames += self._push(self._next + chunk)
        if until >= len(self.sound.pcm) and not self._ended:
            frames += self._push(len(self.sound.pcm)) + self._talker.flush()
            self._ended = True
        self.over = self.position_s > self.sound.duration_s + TAIL_S
        return frames

    def _push(self, until: int) -> list[Frame]:
        pcm, self._next = self.sound.pcm[self._next : until], until
        return self._talker.push(pcm, self.sound.sample_rate_hz) if len(pcm) else []


class Live(Performance):
    """A microphone: its audio goes to the talker as it comes. Where none comes, the mouth eases to rest."""

    kind = "microphone"

    def __init__(self, talker: Talker, stream: int) -> None:
        super().__init__(talker, stream)
        self.hears = self
        self._heard_s = self._start_s
        self._silent_frames = 0
        self._silence = np.zeros(FRAME_SAMPLES, np.float32)

    def hear(self, pcm: npt.NDArray[np.int16], sample_rate_hz: int) -> list[Frame]:
        """Frames that a piece of the microphone's audio completes."""
        self._heard_s, self._silent_frames = time.monotonic(), 0
        return self._talker.push(pcm, sample_rate_hz)

    def due(self) -> list[Frame]:
        """See `Performance`: what silence gives, once the microphone has sent nothing for `SILENT_S`."""
        silent_s = time.monotonic() - self._heard_s - SILENT_S
        if silent_s < 0:
            return []
        if self._silent_frames == 0:
            self._talker.hush(EASE_MS)
        missing = int(silent_s * SAMPLE_RATE_HZ) // FRAME_SAMPLES + 1 - self._silent_frames
        if missing * FRAME_SAMPLES > LATEST_S * SAMPLE_RATE_HZ:
            self._heard_s += (missing - 1) * FRAME_SAMPLES / SAMPLE_RATE_HZ
            missing = 1
        self._silent_frames += missing
        return [frame for _ in range(missing) for frame in self._talker.push(self._silence, SAMPLE_RATE_HZ)]
