"""Samples in, the network's own blendshapes out: features, speech gate, listener and student, all streaming.

Training and evaluation read its output as it is; `talker.Talker` puts the output stage behind it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dtalker_model.hearing.features import LogMel
from dtalker_model.hearing.voice_activity import VoiceActivity
from dtalker_model.rates import DELAY_FRAMES, FRAME_RATE_HZ, FRAME_SAMPLES
from dtalker_model.settings import Settings
from dtalker_model.speaking.listener import Belief, Listener
from dtalker_model.speaking.personalizer import Personalizer
from dtalker_model.speaking.runtime import Step
from dtalker_model.speaking.switch import Switch

BLOCK_FRAMES = 500
"""Frames run through the network at a time: ten minutes in one chunk need no more memory than ten seconds."""


@dataclass(frozen=True)
class Raw:
    """The network's output for T frames.

    Attributes:
        start_frame: index of the first frame.
        weights: (T, 52) float32, not clamped; not finite where the model fails.
        speaking: (T,) float32, 0 where nobody speaks, 1 where somebody does.
        level_db: (T,) float32, how loud it is, in dB of full scale; it runs ahead of the frames as `speaking` does.
    """

    start_frame: int
    weights: np.ndarray
    speaking: np.ndarray
    level_db: np.ndarray


class Engine:
    """One voice's stream through the networks. Deterministic for a seed, whatever the chunks."""

    def __init__(self, step: Step, listener: Listener | None, personalizer: Personalizer, seed: int = 0) -> None:
        self._step, self._listener, self._personalizer = step, listener, personalizer
        self._features, self._gate, self._switch = LogMel(), VoiceActivity(), Switch()
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """Fresh state; `seed` starts the noise."""
        self._features.reset()
        self._gate.reset()
        self._switch.reset()
        if self._listener is not None:
            self._listener.reset()
        self._state = self._step.initial_state()
        self._noise = np.random.default_rng(seed)
        self._next_feature = 0
        self._speech_frames = 0
        self._speaking = False

    def use(self, personalizer: Personalizer) -> None:
        """Take embeddings from `personalizer`, of the same model, from the next computed frame on."""
        self._personalizer = personalizer

    @property
    def next_frame(self) -> int:
        """Index of the first frame that is not computed yet."""
        return max(self._next_feature - DELAY_FRAMES, 0)

    def push(self, samples: np.ndarray, settings: Settings) -> list[Raw]:
        """Accept mono float32 samples at 16 kHz; return the frames that they complete, in blocks."""
        blocks = (
            samples[k : k + BLOCK_FRAMES * FRAME_SAMPLES] for k in range(0, len(samples), BLOCK_FRAMES * FRAME_SAMPLES)
        )
        return [raw for raw in (self._block(block, settings) for block in blocks) if len(raw.weights)]

    def end_speech(self) -> None:
        """Barge-in: whoever spoke was cut short, and the gate begins to close."""
        self._gate.end_hangover()

    def belief(self) -> Belief:
        """What is believed about the voice by now."""
        identities, emotions = ({}, {}) if self._listener is None else self._listener.belief()
        return Belief(identities, emotions, self._speech_frames / FRAME_RATE_HZ, self._speaking)

    def _block(self, samples: np.ndarray, settings: Settings) -> Raw:
        heard = self._features.push(samples)
        T = len(heard.log_mel)
        if T == 0:
            return Raw(self.next_frame, np.zeros((0, 52), np.float32), np.zeros(0, np.float32), heard.level_db)
        speaking = self._gate.apply(heard.level_db, heard.voiced)
        self._speech_frames += int((speaking > 0.5).sum())
        self._speaking = bool(speaking[-1] > 0.5)
        weights = self._denoise(heard.log_mel, speaking, settings)
        start, skip = self.next_frame, min(max(DELAY_FRAMES - self._next_feature, 0), T)
        self._next_feature += T
        return Raw(start, weights[skip:], speaking[skip:], heard.level_db[skip:])

    def _denoise(self, log_mel: np.ndarray, speaking: np.ndarray, settings: Settings) -> np.ndarray:
        T = len(log_mel)
        who, mood = None, None
        if self._listener is not None and settings.listens:
            who, mood = self._listener.listen(log_mel, speaking, settings.live_time_constant_s)
        identity = self._personalizer.identity(settings, who)
        emotion = self._personalizer.emotion(settings, mood)
        noise = self._noise.standard_normal((T, 52), np.float32)
        inputs = (log_mel[None], noise[None], identity[None], emotion[None])
        weights, self._state = self._step(*inputs, self._state, settings.steps, settings.articulation)
        if not np.isfinite(weights).all():  # its memory would not be either: it begins anew
            self._state = self._step.initial_state()
            self._switch.reset()
            return weights[0]
        return self._switch.apply(weights[0], settings.steps or self._step.steps)
