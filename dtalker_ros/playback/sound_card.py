"""The sound card, through sounddevice (PortAudio): asks for samples and says when they sound."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dtalker_model.cli.sound.microphone import chosen_device, sounddevice_module
from dtalker_model.errors import AudioError

LONGEST_LEAD_S = 5.0
"""A card that says that samples sound later than this, or in the past, does not know."""

AT_ONCE_S = 0.0003
TRIES = 4
"""Two clocks that are read within this are read at once; other threads may come between."""

Render = Callable[[int, int], NDArray[np.float32]]
"""Number of samples and when the first sounds, ns -> (samples, channels)."""


@dataclass(frozen=True)
class CardWish:
    """Which card, and how: 0 and empty leave it to the card."""

    device: str = ""
    """Part of its name, or its number."""
    rate_hz: int = 0
    channels: int = 0


class SoundCard:
    """An output stream, open and not started."""

    def __init__(self, wish: CardWish, now_ns: Callable[[], int], complain: Callable[[str], None]) -> None:
        """Raises `AudioError` where sounddevice, PortAudio or the device is missing."""
        self._sounddevice = sounddevice_module("the loudspeaker")
        self._now_ns, self._complain = now_ns, complain
        self._render: Render | None = None
        device = chosen_device(wish.device)
        try:
            about = self._sounddevice.query_devices(device, "output")
            self.rate_hz = wish.rate_hz or round(about["default_samplerate"])
            self.channels = wish.channels or min(2, int(about["max_output_channels"]))
            self._stream = self._sounddevice.OutputStream(
                samplerate=self.rate_hz,
                device=device,
                channels=self.channels,
                dtype="float32",
                latency="low",
                callback=self._on_card,
            )
        except (self._sounddevice.PortAudioError, ValueError) as error:
            raise AudioError(f"no loudspeaker to open: {error}; `python -m sounddevice` lists the devices") from None

    @property
    def latency_ms(self) -> float:
        """From a callback to the sound, about, as the card says."""
        return 1e3 * float(self._stream.latency)

    def start(self, render: Render) -> None:
        """Play what `render` gives, which is called in a thread of PortAudio's."""
        self._render = render
        self._stream.start()

    def close(self) -> None:
        """Play no more."""
        self._stream.stop()
        self._stream.close()

    def _on_card(self, sound: Any, frames: int, when: Any, status: Any) -> None:
        stream_s, now_ns = both_clocks(self._stream, self._now_ns)
        if status:
            self._complain(f"loudspeaker: {status}")
        lead_s = when.outputBufferDacTime - stream_s
        if not -LONGEST_LEAD_S < lead_s < LONGEST_LEAD_S or when.outputBufferDacTime <= when.currentTime:
            lead_s = float(self._stream.latency)
        assert self._render is not None
        sound[:] = self._render(frames, now_ns + round(lead_s * 1e9))


def both_clocks(stream: Any, now_ns: Callable[[], int]) -> tuple[float, int]:
    """The time of `stream`, s, and ours, ns, read at once: a callback waits for Python's lock after its own time."""
    for _ in range(TRIES):
        before_s, now, after_s = stream.time, now_ns(), stream.time
        if after_s - before_s < AT_ONCE_S:
            break
    return before_s, now
