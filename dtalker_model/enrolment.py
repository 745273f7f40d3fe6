"""Enrolment: a voice is heard for a few seconds, and two embeddings of it are kept.

The model's listener hears the recording as it hears a live voice, but forgets nothing: its belief is an average over
all speech. The embeddings are the mixtures of the card's that the belief gives (DiffusionTalker, retrieval by
similarity), just as with identity ``live``.
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from dtalker_model.card import DEFAULT_MODEL, model_path, read_card
from dtalker_model.errors import AudioError, ModelError
from dtalker_model.hearing.audio import Resampler
from dtalker_model.hearing.features import LogMel
from dtalker_model.hearing.sound_check import SoundCheck
from dtalker_model.hearing.voice_activity import VoiceActivity
from dtalker_model.rates import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from dtalker_model.speaking.listener import SPEAKING
from dtalker_model.speaking.personalizer import Personalizer
from dtalker_model.talker import load_listener
from dtalker_model.voices.voices import Voice

MIN_SPEECH_S = 3.0
"""Speech, not sound, that a voice is derived from at least."""

FORGET_NOTHING_S = 1e4
"""Time constant of the belief: of a minute of speech, the first second still counts 99.4% of the last."""


class Enrolment:
    """One voice, heard piece by piece."""

    def __init__(self, model: str | Path = DEFAULT_MODEL, threads: int = 1) -> None:
        """`model`, `threads`: as for `load`. Raises `ModelError` where the model is missing, damaged or cannot hear."""
        path = model_path(model)
        self.card = read_card(path)
        listener = load_listener(path, self.card, threads)
        if listener is None:
            raise ModelError(f"model {self.card.name!r} has no listener and cannot enroll voices: take another model")
        self._listener, self._personalizer = listener, Personalizer(self.card)
        self._resampler, self._features, self._gate = Resampler(), LogMel(), VoiceActivity()
        self._sound, self._faults = SoundCheck(), dict[str, None]()
        self._heard_samples = self._speech_frames = 0
        self._who = self._mood = np.zeros((0, 0), np.float32)

    @property
    def heard_s(self) -> float:
        """Seconds of audio heard so far."""
        return self._heard_samples / SAMPLE_RATE_HZ

    @property
    def speech_s(self) -> float:
        """Seconds in which somebody spoke."""
        return self._speech_frames / FRAME_RATE_HZ

    @property
    def faults(self) -> tuple[str, ...]:
        """What was wrong with the sound, in sentences that say what to do."""
        return tuple(self._faults)

    def push(self, pcm: np.ndarray, sample_rate_hz: int) -> None:
        """Hear more; takes what `Talker.push` takes and raises as it does."""
        samples = self._resampler.push(pcm, sample_rate_hz)
        self._heard_samples += len(samples)
        self._faults |= dict.fromkeys(self._sound.push(pcm, sample_rate_hz))
        heard = self._features.push(samples)
        if len(heard.log_mel) == 0:
            return
        speaking = self._gate.apply(heard.level_db, heard.voiced)
        self._speech_frames += int((speaking > SPEAKING).sum())
        who, mood = self._listener.listen(heard.log_mel, speaking, FORGET_NOTHING_S)
        self._who, self._mood = who[-1:], mood[-1:]

    def voice(self, name: str) -> Voice:
        """The voice heard, as `name`; raises `AudioError` where less than `MIN_SPEECH_S` of it was speech."""
        if self.speech_s < MIN_SPEECH_S:
            raise AudioError(
                f"{self.speech_s:.1f} s of speech in {self.heard_s:.1f} s of audio, at least {MIN_SPEECH_S:g} s are "
                "needed: speak longer, louder or with less noise around"
            )
        identity, emotion = (row[0].tolist() for row in self._personalizer.mixture(self._who, self._mood))
        return Voice(
            name=name,
            model=self.card.name,
            model_sha256=self.card.sha256,
            identity=tuple(identity),
            emotion=tuple(emotion),
            speech_s=self.speech_s,
            enrolled=datetime.now(timezone.utc).date().isoformat(),
        )

    def belief(self) -> tuple[dict[str, float], dict[str, float]]:
        """Shares of the model's own identities and emotions in the voice, by name; each sum to 1."""
        return self._listener.belief()

    def likeness(self) -> str:
        """What the voice is most like, for people."""
        best = (max(names.items(), key=lambda pair: pair[1]) for names in self.belief())
        return ", ".join(f"{name} ({share:.0%})" for name, share in best)
