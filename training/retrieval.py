"""What the listener retrieves from voices it never heard: the emotion of a clip, and whether two clips are one speaker.

The exported graph gives per frame the similarity of the audio embedding with every entry of its libraries (eqs. 5, 6).
They are averaged over speech. Two clips are compared by the cosine of their centred similarities with the identities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dtalker_model.card import listener_path, model_path, read_card
from dtalker_model.features import LogMel
from dtalker_model.rates import FRAME_SAMPLES, SAMPLE_RATE_HZ
from dtalker_model.runtime import Graph
from dtalker_model.voice_activity import VoiceActivity
from training.bootstrap import DRAWS, SEED, Figure, interval
from training.corpus import Clip, load_audio

VERIFICATION_S = 3.0
SPEAKING = 0.5


@dataclass(frozen=True)
class Heard:
    """Mean similarities of one clip: identities (I,) and emotions (E,), over its speech."""

    identity: np.ndarray
    emotion: np.ndarray


class Ear:
    """The listener of a model file, without the runtime's prior and time constant."""

    def __init__(self, model: str) -> None:
        path = model_path(model)
        self.emotions = read_card(path).listener_emotions
        self._graph = Graph(listener_path(path), {"features": 128})

    def hear(self, audio: np.ndarray) -> Heard:
        """Listen to mono audio (samples,) at 16 kHz; over all frames where nobody seems to speak."""
        frames = LogMel().push(np.pad(audio, (0, -len(audio) % FRAME_SAMPLES)))
        speech = VoiceActivity().apply(frames.level_db) > SPEAKING
        logits, _ = self._graph.run({"features": frames.log_mel[None]}, self._graph.initial_state())
        weight = speech if speech.any() else np.ones(len(speech), bool)
        return Heard(*(x[0][weight].mean(axis=0) for x in logits))


def middle(audio: np.ndarray, seconds: float = VERIFICATION_S) -> np.ndarray:
    """The middle `seconds` of a clip at 16 kHz, or all of a shorter one."""
    samples = round(seconds * SAMPLE_RATE_HZ)
    begin = max((len(audio) - samples) // 2, 0)
    return audio[begin : begin + samples]


def emotion_accuracy(ear: Ear, clips: Sequence[Clip]) -> Figure:
    """Share of clips whose own emotion is the most similar one."""
    right = [ear.emotions[int(ear.hear(load_audio(c)).emotion.argmax())] == c.emotion for c in clips]
    return Figure(np.array([[float(r), 1.0] for r in right]).reshape(-1, 2))


def identity_similarity(ear: Ear, clips: Sequence[Clip]) -> np.ndarray:
    """Similarity of every two clips, heard for 3 s, in (clips, clips), -1 .. 1."""
    heard = np.stack([ear.hear(middle(load_audio(c))).identity for c in clips]).astype(np.float64)
    centred = heard - heard.mean(axis=1, keepdims=True)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    return unit @ unit.T


def every_pair(similarity: np.ndarray, speakers: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Scores and `same` (bool) of all pairs of different clips, from their similarity (clips, clips)."""
    first, second = np.triu_indices(len(speakers), k=1)
    names = np.array(speakers)
    return similarity[first, second], names[first] == names[second]


def equal_error_rate(scores: np.ndarray, same: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Error rate at the threshold where as many pairs of one speaker are refused as pairs of two are accepted.

    Args:
        scores: (N,) similarity. same: (N,) bool, one speaker. weights: (N,) how often each pair counts.

    Returns:
        0 for perfect scores, 0.5 for chance; NaN unless there are pairs of both kinds.
    """
    weights = np.ones(len(scores)) if weights is None else weights
    order = np.argsort(scores, kind="stable")
    genuine, impostor = weights[order] * same[order], weights[order] * ~same[order]
    if genuine.sum() == 0 or impostor.sum() == 0:
        return float("nan")
    refused = np.concatenate([[0.0], np.cumsum(genuine)]) / genuine.sum()
    accepted = 1 - np.concatenate([[0.0], np.cumsum(impostor)]) / impostor.sum()
    at = np.argmin(np.abs(refused - accepted))
    return float((refused[at] + accepted[at]) / 2)


def verification(similarity: np.ndarray, speakers: Sequence[str]) -> tuple[float, tuple[float, float]]:
    """Equal error rate over all pairs of different clips, and its 95% interval by bootstrap over clips.

    Args:
        similarity: (clips, clips). speakers: of each clip.
    """
    scores, same = every_pair(similarity, speakers)
    draw = np.random.default_rng(SEED)
    counts = draw.multinomial(len(speakers), np.full(len(speakers), 1 / len(speakers)), DRAWS // 5)
    draws = np.array([equal_error_rate(scores, same, every_pair(np.outer(c, c), speakers)[0]) for c in counts])
    return equal_error_rate(scores, same), interval(draws)
