"""From recorded heads to a `HeadModel`: what follows the voice, the spectrum of the rest, and the filter that has it.

Left and right are alike: whatever the recordings say about one side is said of the other. So loudness moves the pitch
alone, and pitch shares no noise with yaw and roll, which lean together.

| here       | meaning                                                     |
| ---------- | ----------------------------------------------------------- |
| S(f)       | cross-spectral density of the noise, 3 x 3, rad^2/Hz         |
| H(f)       | the causal filter with H H* = S and least delay (Wilson 1972) |
| nods       | low-passes of loudness and speech, whose mixture tilts the head |
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dtalker_model.gesture.head_model import HEARD, TURNS
from dtalker_model.gesture.sway import NOD_FOLLOW
from dtalker_model.rates import FRAME_RATE_HZ
from training.heads.motion import HeadTrack, loudness

PITCH = 1
GRID = 1024
"""Points of the spectrum around the circle: 0.05 Hz apart."""
STEADIEST_HZ, QUICKEST_HZ = 0.25, 6.0
"""Clips of 3 s tell nothing about slower movement, which is made as strong as at the first of these; faster is the
tracker's noise, which is left away."""
_ROUNDS = 60


def nods(track: HeadTrack) -> np.ndarray:
    """Low-passes (F, 2, 2) of a clip's loudness and speech gate, with the time constants of `NOD_S`, from rest."""
    heard = np.stack([loudness(track.level_db, track.speaking), track.speaking], axis=1).astype(float)
    follows = np.array(NOD_FOLLOW)[:, None]
    state, rows = np.zeros((len(NOD_FOLLOW), HEARD)), []
    for now in heard:
        state = state + follows * (now - state)
        rows.append(state)
    return np.array(rows)


def fit_response(tracks: Sequence[HeadTrack], penalty: float) -> np.ndarray:
    """Response (2, 2) of least squares, its squares penalised.

    Each clip is compared around its own mean: nobody recorded where the head is at rest.
    """
    size = len(NOD_FOLLOW) * HEARD
    squares, products = penalty * np.eye(size), np.zeros(size)
    for track in tracks:
        heard = nods(track)[slice(*track.frames)].reshape(-1, size)
        pitch = track.on_frame_clock(track.turns)[:, PITCH]
        heard = heard - heard.mean(axis=0)
        squares += heard.T @ heard
        products += heard.T @ (pitch - pitch.mean())
    return np.asarray(np.linalg.solve(squares, products).reshape(-1, HEARD))


def answered(track: HeadTrack, response: np.ndarray) -> np.ndarray:
    """What a clip's voice moves (F, 3)."""
    turns = np.zeros((len(track.level_db), TURNS))
    turns[:, PITCH] = np.einsum("fih,ih->f", nods(track), response)
    return turns


def symmetric(spectrum: np.ndarray) -> np.ndarray:
    """A density (F, 3, 3) in which pitch shares nothing with yaw and roll."""
    apart = spectrum.copy()
    apart[:, PITCH, [0, 2]] = apart[:, [0, 2], PITCH] = 0
    return apart


def circle_spectrum(density: np.ndarray, frequencies_hz: np.ndarray) -> np.ndarray:
    """One-sided density (F, 3, 3) at `frequencies_hz` as that of frames (GRID, 3, 3) around the circle."""
    hz = np.abs(np.fft.fftfreq(GRID, 1 / FRAME_RATE_HZ))
    read = np.clip(hz, STEADIEST_HZ, frequencies_hz[-1])
    parts = [
        np.interp(read, frequencies_hz, part.reshape(len(part), -1)[:, k]).reshape(-1)
        for part in (density.real, density.imag)
        for k in range(TURNS * TURNS)
    ]
    real, imaginary = np.array(parts).reshape(2, TURNS, TURNS, GRID)
    sign = np.sign(np.fft.fftfreq(GRID))
    whole = np.moveaxis(real + 1j * sign * imaginary, -1, 0) * (FRAME_RATE_HZ / 2)
    fading = 1 / (1 + (hz / QUICKEST_HZ) ** 8)
    floor = 1e-6 * np.einsum("fii->i", whole.real) / len(whole)
    return np.asarray(whole * fading[:, None, None] + np.diag(floor))


def causal_filter(spectrum: np.ndarray, taps: int) -> np.ndarray:
    """Wilson's factorization: the first `taps` (K, in, out) of the causal filter that makes white noise have `spectrum`
    (GRID, n, n).
    """
    n = spectrum.shape[1]
    start = np.linalg.cholesky(spectrum.mean(axis=0).real)
    factor = np.tile(start.astype(complex), (len(spectrum), 1, 1))
    for _ in range(_ROUNDS):
        inverse = np.linalg.inv(factor)
        ratio = inverse @ spectrum @ np.conj(np.swapaxes(inverse, 1, 2)) + np.eye(n)
        factor = factor @ _causal_half(ratio)
    response = np.fft.ifft(factor, axis=0).real[:taps]
    return np.swapaxes(response, 1, 2)


def _causal_half(ratio: np.ndarray) -> np.ndarray:
    """The part of a spectrum (GRID, n, n) that looks back, with half of what is simultaneous."""
    lags = np.fft.ifft(ratio, axis=0)
    lags[len(lags) // 2 :] = 0
    lags[0] = np.tril(lags[0]) - np.diag(np.diag(lags[0])) / 2
    return np.asarray(np.fft.fft(lags, axis=0))
