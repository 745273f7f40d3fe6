"""Causal log-mel features, the same code for training, offline use and streaming.

No statistic of the clip enters: feature j is a function of the audio before sample 320 (j + 1) and of nothing else.
Each 20 ms frame carries two 25 ms windows, 10 ms apart, so that plosives keep their place in time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dtalker_model.rates import FRAME_SAMPLES, SAMPLE_RATE_HZ

MEL_BANDS = 64
WINDOWS_PER_FRAME = 2
FEATURE_DIM = MEL_BANDS * WINDOWS_PER_FRAME
WINDOW_SAMPLES = 400
FFT_SIZE = 512
HOP_SAMPLES = FRAME_SAMPLES // WINDOWS_PER_FRAME
LOWEST_HZ, HIGHEST_HZ = 60.0, 7_000.0
POWER_FLOOR = 1e-6
"""Added to the mel power before the logarithm: silence below about -75 dBFS looks alike, whatever the microphone."""

HISTORY_SAMPLES = WINDOW_SAMPLES - HOP_SAMPLES
LEVEL_FLOOR_DB = -100.0

LEVEL_BINS = (6, 33, 64, 225)
"""Where four bands of a window's spectrum begin, 31.25 Hz a bin: 188 Hz, 1 kHz, 2 kHz, 7 kHz. The level is their sum,
so that 50 and 60 Hz count 43 dB less than they are, 100 Hz 35 dB less, and DC and rumble nothing."""

VOICED_RATIO = 10**0.5
"""A voice has 5 dB more power in 188..1000 Hz than in 2..7 kHz: so have 4 of 5 frames of speech (RAVDESS, children
too). White noise has -8 dB, pink noise 1 dB (4 dB in 1 frame of 100), RAVDESS's breaths -20 to 4 dB."""

BLOCK_FRAMES = 8
"""Frames computed at a time: their spectra stay in the cache, and the BLAS wakes no threads for them."""


def hz_to_mel(hz: np.ndarray | float) -> np.ndarray:
    """O'Shaughnessy's mel scale."""
    return 2595.0 * np.log10(1.0 + np.asarray(hz, np.float64) / 700.0)


def mel_filters() -> np.ndarray:
    """Triangular filters of unit height, (FFT_SIZE // 2 + 1, MEL_BANDS) float32, equally spaced in mel."""
    edges_mel = np.linspace(hz_to_mel(LOWEST_HZ), hz_to_mel(HIGHEST_HZ), MEL_BANDS + 2)
    bins_mel = hz_to_mel(np.arange(FFT_SIZE // 2 + 1) * SAMPLE_RATE_HZ / FFT_SIZE)[:, None]
    left, centre, right = edges_mel[:-2], edges_mel[1:-1], edges_mel[2:]
    triangles = np.minimum((bins_mel - left) / (centre - left), (right - bins_mel) / (right - centre))
    return np.maximum(triangles, 0.0).astype(np.float32)


_SAMPLES_OF_WINDOWS = HOP_SAMPLES * np.arange(WINDOWS_PER_FRAME * BLOCK_FRAMES)[:, None] + np.arange(WINDOW_SAMPLES)
_WINDOW = np.hanning(WINDOW_SAMPLES + 1)[:-1].astype(np.float32)
_FILTERS = (mel_filters() / float((_WINDOW**2).sum())).astype(np.float32)
_MEAN_SQUARE = np.float32(2 / (FFT_SIZE * float((_WINDOW**2).sum())))
"""Parseval: the mean square of a signal from the power of the positive frequencies of a window."""


@dataclass(frozen=True)
class Features:
    """What one stretch of audio gives, T frames of 20 ms.

    Attributes:
        log_mel: (T, 128) float32, natural logarithm of mel power, the earlier 10 ms window first.
        level_db: (T,) float32, RMS level above 188 Hz in dB relative to full scale, -100 at least: that of the later
            window of each frame, because these hardly overlap, and a click is in one frame.
        voiced: (T,) bool, whether the frame's power lies low, as a voice's does and that of breath and hiss does not.
    """

    log_mel: np.ndarray
    level_db: np.ndarray
    voiced: np.ndarray


class LogMel:
    """Streaming features: push samples of any number, receive whole frames."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the stream; silence precedes the next sample."""
        self._held = np.zeros(HISTORY_SAMPLES, np.float32)

    def push(self, samples: np.ndarray) -> Features:
        """Features of the frames that `samples` (n,), mono float32 at 16 kHz, complete. They may be none."""
        held = np.concatenate([self._held, samples])
        frames = (len(held) - HISTORY_SAMPLES) // FRAME_SAMPLES
        self._held = held[frames * FRAME_SAMPLES :].copy()
        log_mel = np.empty((frames, FEATURE_DIM), np.float32)
        bands = np.empty((frames * WINDOWS_PER_FRAME, len(LEVEL_BINS)), np.float32)
        for begin in range(0, frames, BLOCK_FRAMES):
            end = min(begin + BLOCK_FRAMES, frames)
            power = _power(held[begin * FRAME_SAMPLES : end * FRAME_SAMPLES + HISTORY_SAMPLES])
            log_mel[begin:end] = np.log(power @ _FILTERS + POWER_FLOOR).reshape(-1, FEATURE_DIM)
            np.add.reduceat(power, LEVEL_BINS, axis=1, out=bands[begin * WINDOWS_PER_FRAME : end * WINDOWS_PER_FRAME])
        mean_square = bands[1::2].sum(axis=1) * _MEAN_SQUARE
        level_db = 10.0 * np.log10(mean_square + 10.0 ** (LEVEL_FLOOR_DB / 10.0))
        low, _, high, _ = (bands[0::2] + bands[1::2]).T
        return Features(log_mel, level_db, low > VOICED_RATIO * high)


def _power(audio: np.ndarray) -> np.ndarray:
    """Power spectra (windows, FFT_SIZE // 2 + 1) float32 of the windows that `audio` holds."""
    count = (len(audio) - HISTORY_SAMPLES) // HOP_SAMPLES
    windows = audio[_SAMPLES_OF_WINDOWS[:count]] * _WINDOW
    spectrum = np.fft.rfft(windows, FFT_SIZE, axis=1)
    return (spectrum.real**2 + spectrum.imag**2).astype(np.float32, copy=False)
