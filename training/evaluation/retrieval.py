"""What the listener retrieves from voices it never heard: the emotion of a clip, and whether two clips are one speaker.

The exported graph hears a clip to its end, with a short memory that forgets nothing. Emotions are retrieved twice: from
the clip alone, and by a listener that is accustomed to the voice, as a robot's is after a minute with somebody: it has
heard other clips of that speaker before, in random order and without labels. Two clips are compared by the cosine of
their voice embeddings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dtalker_model.card import listener_path, model_path, read_card
from dtalker_model.hearing.features import LogMel
from dtalker_model.hearing.voice_activity import VoiceActivity
from dtalker_model.rates import FRAME_SAMPLES, SAMPLE_RATE_HZ
from dtalker_model.speaking.listener import LONG_MEMORY, SPEAKING, listener_graph, pace_of
from training.corpus.clips import Clip, load_audio
from training.evaluation.bootstrap import DRAWS, SEED, Figure, interval

VERIFICATION_S = 3.0
FORGET_NOTHING_S = 1e6


@dataclass(frozen=True)
class Heard:
    """One clip: similarity (E,) with the emotions, voice embedding (D,) of length 1, and what is remembered longer."""

    emotion: np.ndarray
    voice: np.ndarray
    memory: np.ndarray


class Ear:
    """The listener of a model file, without the runtime's prior and time constant."""

    def __init__(self, model: str) -> None:
        path = model_path(model)
        self.emotions = read_card(path).listener_emotions
        self._graph = listener_graph(listener_path(path))

    def hear(self, audio: np.ndarray, memory: np.ndarray | None = None) -> Heard:
        """Listen to mono audio (samples,) at 16 kHz; to all frames where nobody seems to speak.

        Args:
            memory: of what was heard of this voice before; nothing where it is left out.
        """
        frames = LogMel().push(np.pad(audio, (0, -len(audio) % FRAME_SAMPLES)))
        speech = VoiceActivity().apply(frames.level_db, frames.voiced) > SPEAKING
        state = self._graph.initial_state()
        if memory is not None:
            state[LONG_MEMORY] = memory
        pace = pace_of(speech if speech.any() else np.ones(len(speech), bool), FORGET_NOTHING_S)
        (_, emotion, voice), state = self._graph.run({"features": frames.log_mel[None], "pace": pace}, state)
        return Heard(emotion[0, -1], voice[0, -1], state[LONG_MEMORY])


def middle(audio: np.ndarray, seconds: float = VERIFICATION_S) -> np.ndarray:
    """The middle `seconds` of a clip at 16 kHz, or all of a shorter one."""
    samples = round(seconds * SAMPLE_RATE_HZ)
    begin = max((len(audio) - samples) // 2, 0)
    return audio[begin : begin + samples]


def emotion_accuracy(ear: Ear, clips: Sequence[Clip]) -> Figure:
    """Share of clips whose own emotion is the most similar one, each clip heard alone."""
    return _share([_right(ear, clip, ear.hear(load_audio(clip))) for clip in clips])


def accustomed_emotion_accuracy(ear: Ear, clips: Sequence[Clip]) -> Figure:
    """The same after the other half of the speaker's clips was heard, in random order and without labels."""
    draw = np.random.default_rng(SEED)
    right = []
    for speaker in sorted({c.identity for c in clips}):
        mine = [c for c in clips if c.identity == speaker]
        order = [mine[k] for k in draw.permutation(len(mine))]
        half = len(order) // 2
        for before, after in ((order[:half], order[half:]), (order[half:], order[:half])):
            memory = None
            for clip in before:
                memory = ear.hear(load_audio(clip), memory).memory
            right += [_right(ear, clip, ear.hear(load_audio(clip), memory)) for clip in after]
    return _share(right)


def _right(ear: Ear, clip: Clip, heard: Heard) -> bool:
    return ear.emotions[int(heard.emotion.argmax())] == clip.emotion


def _share(right: Sequence[bool]) -> Figure:
    return Figure(np.array([[float(r), 1.0] for r in right]).reshape(-1, 2))


def identity_similarity(ear: Ear, clips: Sequence[Clip]) -> np.ndarray:
    """Cosine of the voice embeddings of every two clips, heard for 3 s, in (clips, clips), -1 .. 1."""
    voices = np.stack([ear.hear(middle(load_audio(c))).voice for c in clips]).astype(np.float64)
    return voices @ voices.T


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
