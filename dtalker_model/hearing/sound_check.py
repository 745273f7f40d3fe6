"""What is wrong with the sound itself: clipped, off centre, or stereo that cancels itself when it is mixed.

The face copes with each as well as it can; whoever is told can mend it at the source.
"""

from __future__ import annotations

import numpy as np

from dtalker_model.hearing.audio import FULL_SCALE

CLIPPED = "the audio is clipped: lower the gain of the microphone or of whatever makes it"
OFF_CENTRE = "the audio is off centre (DC offset above 2% of full scale): look at the microphone's input or its driver"
CANCELLED = "the audio's channels cancel each other (opposite phase): swap the wires of one, or send one channel alone"

WINDOW_S = 1.0
"""Audio that is judged at a time."""
SHORTEST_S = 0.2
"""What is left when a stream ends, or goes on in another type, is judged when it is this long."""
MOST_CHANNELS = 8
"""Channels that are looked at."""

OFFSET = 0.02
CLIP_LEVEL = (0.999, 1.0001)
"""Full scale of integers and of what was made from them; floats beyond it are loud, not cut."""
CLIP_SHARE = 0.002
"""Share of the samples that lie on a flat top; a full-scale sine of 1 kHz has none."""
FLAT = 1e-4
CANCELLED_SHARE = 0.01
"""The mix has less than this share of the power of its channels: -20 dB; channels that are not alike leave -3 dB."""
SOUND = 0.001
"""Quieter peaks (-60 dBFS) tell nothing about the channels."""
THINNED = 4
"""Every fourth sample is enough to compare channels."""


class SoundCheck:
    """Hears PCM as it came, in chunks of any length, and judges each second of it."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._kind: tuple[np.dtype, tuple[int, ...], int] | None = None
        self._clear()

    def push(self, pcm: np.ndarray, sample_rate_hz: int) -> list[str]:
        """Hear PCM that `to_mono` takes; the faults of the seconds that it completes, with what to do about them."""
        pcm = pcm[:, :MOST_CHANNELS] if pcm.ndim == 2 else pcm
        kind = (pcm.dtype, pcm.shape[1:], sample_rate_hz)
        faults = self.flush() if kind != self._kind else []
        self._kind = kind
        window = round(WINDOW_S * sample_rate_hz)
        while len(pcm):
            part, pcm = pcm[: window - self._samples], pcm[window - self._samples :]
            # A copy, because the caller may use its buffer again; not of what is judged at once.
            self._parts.append(part if len(part) == window else part.copy())
            self._samples += len(part)
            if self._samples == window:
                faults += self._judged()
        return faults

    def flush(self) -> list[str]:
        """The stream ends: the faults of what is left of it, where that is long enough to tell."""
        judged = self._kind is not None and self._samples >= SHORTEST_S * self._kind[2]
        faults = self._judged() if judged else []
        self.reset()
        return faults

    def _clear(self) -> None:
        self._parts: list[np.ndarray] = []
        self._samples = 0

    def _judged(self) -> list[str]:
        pcm = np.concatenate(self._parts) if len(self._parts) > 1 else self._parts[0]
        self._clear()
        return faults_of(pcm)


def faults_of(pcm: np.ndarray) -> list[str]:
    """The faults of PCM (samples,) or (samples, channels), of a type that `to_mono` takes."""
    scale = FULL_SCALE[pcm.dtype.name]
    peak = max(float(pcm.max()), -float(pcm.min())) / scale
    found = []
    if peak >= CLIP_LEVEL[0] and _clips(pcm / scale):
        found.append(CLIPPED)
    elif peak > OFFSET and abs(float(pcm.mean())) > OFFSET * scale:  # what is cut off one side moves the mean too
        found.append(OFF_CENTRE)
    if peak > SOUND and pcm.ndim == 2 and pcm.shape[1] > 1 and _cancels(pcm[::THINNED] / scale):
        found.append(CANCELLED)
    return found


def _clips(pcm: np.ndarray) -> bool:
    loud, flat = np.abs(pcm[1:]), np.abs(np.diff(pcm, axis=0)) < FLAT
    lowest, highest = CLIP_LEVEL
    return float((flat & (loud >= lowest) & (loud <= highest)).mean()) > CLIP_SHARE


def _cancels(pcm: np.ndarray) -> bool:
    """Channels that swing around their own means."""
    pcm = pcm - pcm.mean(axis=0)
    return float(np.square(pcm.mean(axis=1)).mean()) < CANCELLED_SHARE * float(np.square(pcm).mean())
