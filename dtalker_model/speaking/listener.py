"""Who speaks, and in which mood: a small graph hears the voice, and a belief follows it.

The graph remembers the moments of what it hears over speech, with a time constant, and gives after each frame a logit
for every identity and emotion it knows (similarities of audio embeddings with libraries, DiffusionTalker eqs. 5 and 6).
The belief averages these once more, so that it does not follow every syllable. Silence changes nothing, and with little
speech heard the prior (identity ``default``, emotion ``neutral``) holds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dtalker_model.rates import FRAME_RATE_HZ
from dtalker_model.speaking.runtime import Graph

TRUST_S = 0.15
"""Speech after which evidence and prior weigh alike."""

SPEAKING = 0.5
"""A gate above this is speech."""

MOMENTS = 2.0
"""Time constants of the belief that the graph's short memory has: a deviation needs more speech than an average."""

LONG_MEMORY = "long"
"""The part of the graph's state that knows how a voice usually sounds."""


@dataclass(frozen=True)
class Belief:
    """What the listener believes.

    Attributes:
        identities, emotions: probability by name; empty where the model has no listener.
        speech_s: seconds of speech heard since the stream began.
        speaking: whether somebody speaks now.
    """

    identities: dict[str, float]
    emotions: dict[str, float]
    speech_s: float
    speaking: bool


class Average:
    """Running average of logits over speech, and the probabilities that follow; T frames at a time."""

    def __init__(self, prior: np.ndarray) -> None:
        self.prior = prior.astype(np.float64)
        self.reset()

    def reset(self) -> None:
        """Forget the voice."""
        self._sum = np.zeros(len(self.prior))
        self._mass = 0.0
        self.probabilities = self.prior

    def follow(self, logits: np.ndarray, speech: np.ndarray, trust: np.ndarray, time_constant_s: float) -> np.ndarray:
        """logits (T, K), speech (T,) bool, trust (T,) 0..1 -> probabilities (T, K)."""
        keep = math.exp(-1.0 / (FRAME_RATE_HZ * time_constant_s))
        out = np.empty(logits.shape, np.float32)
        for t in range(len(logits)):
            if speech[t]:
                self._sum = keep * self._sum + (1 - keep) * logits[t]
                self._mass = keep * self._mass + (1 - keep)
                evidence = np.exp(self._sum / self._mass - (self._sum / self._mass).max())
                self.probabilities = (1 - trust[t]) * self.prior + trust[t] * evidence / evidence.sum()
            out[t] = self.probabilities
        return out


class Listener:
    """The graph and the two averages. Causal: a frame's belief depends on what was heard until then."""

    def __init__(self, path: Path, identities: Sequence[str], emotions: Sequence[str], threads: int = 1) -> None:
        self.identities, self.emotions = tuple(identities), tuple(emotions)
        self._graph = listener_graph(path, threads)
        self._averages = [Average(_one_hot(self.identities, "default")), Average(_one_hot(self.emotions, "neutral"))]
        self.reset()

    def reset(self) -> None:
        """Forget the voice."""
        self._state = self._graph.initial_state()
        self._speech_frames = 0
        for average in self._averages:
            average.reset()

    def listen(
        self, log_mel: np.ndarray, speaking: np.ndarray, time_constant_s: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities of identities (T, I) and emotions (T, E) for log_mel (T, 128) and the speech gate (T,)."""
        speech = speaking > SPEAKING
        inputs = {"features": log_mel[None], "pace": pace_of(speech, MOMENTS * time_constant_s)}
        (*logits, _), self._state = self._graph.run(inputs, self._state)
        if not all(np.isfinite(x).all() for x in logits):  # nothing was heard, and the memory begins anew
            self._state, speech = self._graph.initial_state(), np.zeros_like(speech)
        heard_s = (self._speech_frames + np.cumsum(speech)) / FRAME_RATE_HZ
        self._speech_frames += int(speech.sum())
        trust = heard_s / (heard_s + TRUST_S)
        identity, emotion = (a.follow(x[0], speech, trust, time_constant_s) for a, x in zip(self._averages, logits))
        return identity, emotion

    def belief(self) -> tuple[dict[str, float], dict[str, float]]:
        """Current probabilities by name: identities, emotions."""
        named = zip((self.identities, self.emotions), self._averages)
        identities, emotions = ({n: float(p) for n, p in zip(names, a.probabilities)} for names, a in named)
        return identities, emotions


def listener_graph(path: Path, threads: int = 1) -> Graph:
    """A listener's graph: log-mel and pace in; identity logits, emotion logits and voice embedding out."""
    return Graph(path, {"features": 128, "pace": 1}, threads)


def pace_of(speech: np.ndarray, time_constant_s: float) -> np.ndarray:
    """How far the short memory moves on in each frame, (1, T, 1) float32: speech (T,) bool, its time constant."""
    return (speech / (FRAME_RATE_HZ * time_constant_s)).astype(np.float32)[None, :, None]


def _one_hot(names: Sequence[str], name: str) -> np.ndarray:
    return np.array([float(n == name) for n in names])
