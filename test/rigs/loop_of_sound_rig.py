"""Stands for sounddevice: what the loudspeaker plays comes back through the microphone, and snaps of the jaw too."""

import time
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from stream_rig import FakeStream

RATE_HZ, FRAMES = 16_000, 160
OUT_S, IN_S = 0.02, 0.015
"""What the card says: from a callback to the sound, and from the sound to a callback."""


class LoopOfSound:
    """Time is in samples since `begun_s`; sound comes back `sound_ms` after the card says that it sounds."""

    def __init__(self, sound_ms: float, jaw_ms: float) -> None:
        self.begun_s = time.time()
        self._sound, self._jaw_s = round(sound_ms * RATE_HZ / 1000), jaw_ms / 1000
        self._air = np.random.default_rng(0).normal(size=60 * RATE_HZ).astype(np.float32) * 0.002
        self._noise = np.random.default_rng(1).normal(size=RATE_HZ // 20).astype(np.float32)

    def snap(self, time_s: float) -> None:
        """The jaw is to be shut at `time_s`, and is so late as it is."""
        begin = round((time_s + self._jaw_s - self.begun_s) * RATE_HZ)
        self._air[begin : begin + len(self._noise)] += 0.3 * self._noise * np.exp(-np.arange(len(self._noise)) / 160)

    def play(self, index: int, sound: np.ndarray) -> None:
        """What the card is given for sample `index`."""
        begin = index + self._sound
        self._air[begin : begin + len(sound)] += 0.5 * sound.mean(axis=1)

    def hear(self, index: int) -> np.ndarray:
        """The microphone's block that begins at sample `index`."""
        return self._air[index : index + FRAMES, None]

    def module(self) -> ModuleType:
        """In place of sounddevice."""
        module: Any = ModuleType("sounddevice")
        module.PortAudioError = type("PortAudioError", (Exception,), {})
        module.query_devices = lambda device, kind: {"default_samplerate": RATE_HZ, "max_output_channels": 2}
        module.OutputStream = lambda **options: _Stream(self, True, options)
        module.InputStream = lambda **options: _Stream(self, False, options)
        return module


class _Stream(FakeStream):
    def __init__(self, loop: LoopOfSound, out: bool, options: dict[str, Any]) -> None:
        super().__init__()
        self._loop, self._out, self._callback, self.latency = loop, out, options["callback"], OUT_S
        self._channels = options["channels"]

    def _run(self) -> None:
        index = round((time.time() - self._loop.begun_s) * RATE_HZ)
        while not self._over.is_set():
            due_s = self._loop.begun_s + index / RATE_HZ - (OUT_S if self._out else -IN_S - FRAMES / RATE_HZ)
            time.sleep(max(0.0, due_s - time.time()))
            now_s = time.time()
            if self._out:
                block = np.zeros((FRAMES, self._channels), np.float32)
                when = SimpleNamespace(currentTime=now_s, outputBufferDacTime=self._loop.begun_s + index / RATE_HZ)
                self._callback(block, FRAMES, when, None)
                self._loop.play(index, block)
            else:
                when = SimpleNamespace(currentTime=now_s, inputBufferAdcTime=self._loop.begun_s + index / RATE_HZ)
                self._callback(self._loop.hear(index), FRAMES, when, None)
            index += FRAMES
