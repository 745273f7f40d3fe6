"""A talker whose mood others may ask for: cross-faded with its settings, held for a time, and given back.

Time is that of the stream, in 16 kHz samples: the same in real and in simulated time, and as fast as the audio where
that is pushed as fast as possible.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dtalker_model.rates import FRAME_SAMPLES, SAMPLE_RATE_HZ
from dtalker_model.settings import Settings
from dtalker_ros.expression.mood import FIELDS, Mood, mixed, mood_of, settings_of
from dtalker_ros.expression.wish import Wish


@dataclass(frozen=True)
class ExpressionConfig:
    """How long expressions are shown, in seconds."""

    timeout_s: float = 10.0
    """From the newest message to the return; 0: never."""
    fade_s: float = 0.3
    """From what is shown to what is asked for."""
    return_s: float = 1.0
    """Back to what the settings say."""


class ExpressedTalker:
    """Has what the ROS package uses of `dtalker_model.Talker`, and `express`.

    `settings` are those that were set, whatever is shown. One thread pushes and sets; any may call `express`.
    """

    def __init__(self, talker: Any) -> None:
        self._talker = talker
        self._base: Settings = talker.settings
        self.config = ExpressionConfig()
        self._asked: deque[Wish | None] = deque(maxlen=1)
        self._wish: Wish | None = None
        self._now = self._since = 0
        """Samples pushed, and when the last fade began."""
        self._from: Mood | None = None
        """What was shown when the last fade began; None: nothing is faded or shown in place of the settings."""
        self._fade_s = 0.0

    @property
    def card(self) -> Any:
        """As the talker's."""
        return self._talker.card

    @property
    def model_card(self) -> Any:
        """As the talker's."""
        return self._talker.model_card

    @property
    def samples(self) -> int:
        """As the talker's."""
        return int(self._talker.samples)

    @property
    def belief(self) -> Any:
        """As the talker's."""
        return self._talker.belief

    @property
    def faults(self) -> tuple[str, ...]:
        """As the talker's."""
        return tuple(self._talker.faults)

    @property
    def settings(self) -> Settings:
        """What was set."""
        return self._base

    @property
    def in_force(self) -> Settings:
        """What the last frame was computed with."""
        return self._talker.settings

    @property
    def expressing(self) -> str:
        """The expression that is shown in place of what was set; empty for none."""
        return self._wish.name if self._wish is not None else ""

    def look_at(self, point_m: tuple[float, float, float] | None) -> None:
        """As the talker's."""
        self._talker.look_at(point_m)

    def add_voices(self, voices: Iterable[Any]) -> None:
        """As the talker's."""
        self._talker.add_voices(voices)

    def reset(self) -> None:
        """As the talker's: settings stay, and so does the expression."""
        self._talker.reset()

    def hush(self, ease_ms: float = 100.0) -> None:
        """As the talker's."""
        self._talker.hush(ease_ms)

    def set(self, **changes: Any) -> None:
        """Change settings; what concerns the mood shows where no expression is in its place. Raises `SettingError`."""
        before = {name: getattr(self._base, name) for name in FIELDS}
        self._talker.set(**{**before, **changes})
        self._base = self._talker.settings

    def express(self, wish: Wish | None) -> None:
        """Show `wish` in place of the mood that was set, from the next frame on; None: return to that one.

        Returns at once, from any thread; a newer wish takes the place of an older one.
        """
        self._asked.append(wish)

    def release(self) -> None:
        """Forget every wish, without a fade."""
        self._asked.clear()
        self._wish = self._from = None
        self.set()

    def push(self, pcm: NDArray[np.generic], sample_rate_hz: int) -> list[Any]:
        """As the talker's; frame by frame while something fades, with silence after a piece that is refused."""
        if self._from is None and not self._asked:
            return self._pushed(pcm, sample_rate_hz)
        frames: list[Any] = []
        while len(pcm):
            self._step()
            count = self._until_next() * sample_rate_hz // SAMPLE_RATE_HZ
            try:
                fresh = self._pushed(pcm[:count], sample_rate_hz)
            except Exception:
                if frames:
                    self._pushed(np.zeros_like(pcm), sample_rate_hz)
                raise
            frames, pcm = frames + fresh, pcm[count:]
        return frames

    def _pushed(self, pcm: NDArray[np.generic], sample_rate_hz: int) -> list[Any]:
        frames: list[Any] = self._talker.push(pcm, sample_rate_hz)
        self._now += len(pcm) * SAMPLE_RATE_HZ // sample_rate_hz
        return frames

    def _step(self) -> None:
        """Let the mood be what it is to be now."""
        if self._asked:
            self._begin(self._asked.popleft())
        elif self._wish is not None and self._left_s() <= 0:
            self._begin(None)
        if self._from is None:
            return
        if self._wish is None and self._progress() >= 1:
            self._from = None
            self.set()
        elif (wanted := settings_of(self._mood(), self._base.listens)) != self._applied():
            self._talker.set(**wanted)

    def _begin(self, wish: Wish | None) -> None:
        """Fade to `wish` from what is shown now."""
        if wish is None and self._from is None:
            return
        self._from = self._mood()
        self._wish, self._since = wish, self._now
        self._fade_s = self.config.return_s if wish is None else self.config.fade_s

    def _mood(self) -> Mood:
        base = mood_of(self._base)
        if self._from is None:
            return base
        wanted = base if self._wish is None else mixed(base, self._wish.mood, self._wish.share)
        return mixed(self._from, wanted, self._progress())

    def _progress(self) -> float:
        """Of the fade, 0 to 1; its first frame is on the way already."""
        faded_s = (self._now - self._since + FRAME_SAMPLES) / SAMPLE_RATE_HZ
        return min(faded_s / self._fade_s, 1.0) if self._fade_s > 0 else 1.0

    def _left_s(self) -> float:
        """Until the expression is over."""
        if self.config.timeout_s == 0:
            return float("inf")
        return self.config.timeout_s - (self._now - self._since) / SAMPLE_RATE_HZ

    def _until_next(self) -> int:
        """Samples that can be pushed before the mood changes, a frame at least."""
        if self._from is None:
            return 1 << 40
        if self._progress() < 1 or self._wish is None:
            return FRAME_SAMPLES
        return max(FRAME_SAMPLES, round(min(self._left_s(), 1e6) * SAMPLE_RATE_HZ))

    def _applied(self) -> dict[str, Any]:
        return {name: getattr(self._talker.settings, name) for name in FIELDS}
