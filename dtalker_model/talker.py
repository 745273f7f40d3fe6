"""The public object: PCM in, frames out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.card import DEFAULT_MODEL, ModelCard, listener_path, model_path, read_card
from dtalker_model.errors import DtalkerError, ModelError, SettingError
from dtalker_model.faults import Faults
from dtalker_model.gesture.attention import HOLD_S, direction_of
from dtalker_model.gesture.gesture import Gesture, poses
from dtalker_model.gesture.head_model import HeadModel, by_hand, read_head_model
from dtalker_model.hearing.audio import Resampler
from dtalker_model.hearing.features import FEATURE_DIM
from dtalker_model.hearing.sound_check import SoundCheck
from dtalker_model.output.output import OutputStage
from dtalker_model.output.pose import at_rest
from dtalker_model.rates import DELAY_FRAMES, FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE_HZ
from dtalker_model.settings import Settings
from dtalker_model.speaking.engine import Engine, Raw
from dtalker_model.speaking.listener import Belief, Listener
from dtalker_model.speaking.personalizer import Personalizer
from dtalker_model.speaking.runtime import OnnxStep
from dtalker_model.voices.voices import Voice, with_voices


@dataclass(frozen=True, slots=True)
class Frame:
    """One face.

    Attributes:
        start_sample: 16 kHz sample of the stream at which the frame is to be shown.
        weights: (52,) float32 in 0..1, in the order of `ARKIT_NAMES`.
        speaking: how far the mouth is let speak, 0..1: 0 at rest, where nobody speaks or a hush has ended it.
        head: (5,) float32 in rad, in the order of `POSE_NAMES`: yaw to the character's own left (-1.2..1.2), pitch down
            and roll towards the own right shoulder (-0.8..0.8), about the axes of REP 103 one after the other; and how
            far both eyes look to the left (-0.6..0.6) and down (-0.5..0.5) in the head, as the eyeLook weights show it.
    """

    start_sample: int
    weights: np.ndarray
    speaking: float = 0.0
    head: np.ndarray = field(default_factory=at_rest)

    @property
    def time_s(self) -> float:
        """Seconds since the stream began."""
        return self.start_sample / SAMPLE_RATE_HZ


class Talker:
    """One voice and its face. Not thread-safe: one thread pushes, the same one sets.

    Any chunking of the same audio gives the same frames, to rounding. Frame i comes out once the audio before sample
    320 i + 1280 (80 ms after the frame's start) is in.
    """

    def __init__(
        self, card: ModelCard, engine: Engine, settings: Settings, head_model: HeadModel | None = None
    ) -> None:
        self.card = self.model_card = card
        self._engine = engine
        self._resampler, self._sound = Resampler(), SoundCheck()
        self._faults = Faults()
        self._output = OutputStage(settings.seed)
        self._gesture = Gesture(head_model or by_hand(), settings)
        self._settings = settings
        self.reset()

    def add_voices(self, voices: Iterable[Voice]) -> None:
        """Know `voices` of this model as identities and emotions, from the next computed frame on: `card` has them,
        `model_card` has not. One of the same name replaces the one known before.
        """
        self.card = with_voices(self.card, voices)
        self._engine.use(Personalizer(self.card))

    @property
    def settings(self) -> Settings:
        """What is in force for the next frame."""
        return self._settings

    @property
    def samples(self) -> int:
        """16 kHz samples accepted since the stream began."""
        return self._samples

    @property
    def belief(self) -> Belief:
        """What is believed about the voice; identities and emotions are followed while `Settings.listens`."""
        return self._engine.belief()

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong now with the sound (clipped, off centre, channels that cancel each other) or with the model's
        output, in sentences that say what to do. The face goes on; tell the user once.
        """
        return self._faults.now(self._samples)

    def set(self, **changes: Any) -> None:
        """Change settings from the next computed frame on; of a new seed, the network's noise waits for `reset`.

        Raises:
            SettingError: a value out of range, or one that the model does not offer. Nothing changes then.
        """
        settings = self._settings.replace(**changes)
        card = self.card
        settings.check(card.identities, card.emotions, card.step_counts, hears(card), card.articulates)
        self._settings = settings

    def push(self, pcm: np.ndarray, sample_rate_hz: int) -> list[Frame]:
        """Accept a chunk; return the frames that it completes.

        Args:
            pcm: int16, int32, float32 or float64; (samples,) or (samples, channels); one sample to ten minutes.
            sample_rate_hz: 8000 to 192000; may change from chunk to chunk.

        Raises:
            AudioError: the chunk cannot be used. None of it was accepted, and the stream goes on.
        """
        samples = self._resampler.push(pcm, sample_rate_hz)
        self._faults.push(self._samples)
        frames = self._accept(samples)
        self._faults.meet(self._sound.push(pcm, sample_rate_hz), self._samples)
        return frames

    def flush(self) -> list[Frame]:
        """End the stream: return the frames that the look-ahead still holds back. The next push begins anew at 0.

        A stream of n samples at 16 kHz gives ceil(n / 320) frames in all.
        """
        frames = self._accept(self._resampler.flush())
        total = -(-self._samples // FRAME_SAMPLES)
        missing = (total + DELAY_FRAMES) * FRAME_SAMPLES - self._samples
        if total:
            frames += self._accept(np.zeros(missing, np.float32))
        self._faults.meet(self._sound.flush(), self._samples)
        self._faults.restart()
        self._begin()
        return frames

    def reset(self) -> None:
        """Forget the stream and begin a new one at sample 0, with the same settings."""
        self._sound.reset()
        self._faults.clear()
        self._begin()

    def _begin(self) -> None:
        self._resampler.reset()
        self._engine.reset(self._settings.seed)
        self._output.reset(self._settings.seed)
        self._gesture.reset(self._settings)
        self._samples = 0

    def hush(self, ease_ms: float = 100.0) -> None:
        """Barge-in: the mouth eases to rest within `ease_ms` and stays there until the audio pushed so far is over."""
        self._engine.end_speech()
        ends_frame = -(-self._samples // FRAME_SAMPLES)
        self._output.hush(self._engine.next_frame, max(round(ease_ms / FRAME_MS), 1), ends_frame)

    def look_at(self, point_m: tuple[float, float, float] | None, hold_s: float = HOLD_S) -> None:
        """Look at a point from the next computed frame on: the eyes lead, the head follows. None lets go of it.

        Args:
            point_m: x forward, y to the character's own left, z up from between the eyes of the head at rest.
            hold_s: after so long without a new point the gaze is free again.

        Raises:
            SettingError: the point is not finite, or less than 1 cm away. What is looked at stays as it was.
        """
        try:
            target = None if point_m is None else direction_of(*map(float, point_m))
        except (TypeError, ValueError) as error:
            raise SettingError(f"look_at: {error}") from None
        self._gesture.attention.look_at(target, hold_s)

    def _accept(self, samples: np.ndarray) -> list[Frame]:
        self._samples += len(samples)
        return [frame for raw in self._engine.push(samples, self._settings) for frame in self._frames(raw)]

    def _frames(self, raw: Raw) -> list[Frame]:
        moves = self._gesture.apply(raw.level_db, raw.speaking, self._settings)
        faces = self._output.apply(raw.weights, raw.speaking, raw.start_frame, self._settings, moves)
        self._faults.meet(self._output.faults, self._samples)
        heads = poses(moves, faces)
        rows = zip(faces, self._output.speaking.tolist(), heads)
        return [Frame((raw.start_frame + k) * FRAME_SAMPLES, *row) for k, row in enumerate(rows)]


def hears(card: ModelCard) -> bool:
    """Whether the model has a listener."""
    return bool(card.listener_sha256)


def load_engine(model: str | Path = DEFAULT_MODEL, threads: int = 1, seed: int = 0) -> tuple[ModelCard, Engine]:
    """The card and the networks of a model, tried on a moment of silence; see `load`."""
    path = model_path(model)
    with _foreign_files(path):
        card = read_card(path)
        personalizer = Personalizer(card)
        listener = load_listener(path, card, threads)
        step = OnnxStep(path, personalizer.embedding_dim, card.steps, threads)
        _try_out(step, personalizer.embedding_dim)
    return card, Engine(step, listener, personalizer, seed)


def load_listener(path: Path, card: ModelCard, threads: int = 1) -> Listener | None:
    """The listener of the model at `path`, fresh; None where it has none. Raises `ModelError`."""
    if not hears(card):
        return None
    with _foreign_files(listener_path(path)):
        listener = Listener(listener_path(path), card.listener_identities, card.listener_emotions, threads)
        listener.listen(np.zeros((1, FEATURE_DIM), np.float32), np.zeros(1, np.float32), 1.0)
        listener.reset()
    return listener


@contextmanager
def _foreign_files(path: Path) -> Iterator[None]:
    """Whatever a card or a graph of another program makes numpy and onnxruntime raise is a `ModelError`."""
    try:
        yield
    except DtalkerError:
        raise
    except Exception as error:  # onnxruntime's own classes among them
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"{path.name} does not run as its card says ({reason}): install the model again") from None


def _try_out(step: OnnxStep, embedding_dim: int) -> None:
    """One frame: a graph that only looks like one of ours fails here, not in the middle of speech."""
    sizes = FEATURE_DIM, len(ARKIT_NAMES), embedding_dim, embedding_dim
    features, noise, identity, emotion = (np.zeros((1, 1, size), np.float32) for size in sizes)
    weights, _ = step(features, noise, identity, emotion, step.initial_state())
    if weights.shape != (1, 1, len(ARKIT_NAMES)):
        raise ValueError(f"weights of shape {weights.shape}")


def load(
    model: str | Path = DEFAULT_MODEL, settings: Settings | None = None, threads: int = 1, **changes: Any
) -> Talker:
    """Load a model and return a fresh `Talker`, who also knows the voices that the user enrolled for this model.

    Args:
        model: a shipped name, or the path of an ``.onnx`` file with its card beside it.
        settings: settings to begin with; `Settings()` where None.
        threads: threads of ONNX Runtime. One is the fastest for one voice.
        changes: single settings, as for `Talker.set`.

    Raises:
        ModelError: the model is missing, damaged or foreign. SettingError: a setting is refused. VoiceError: a voice is
            asked for and the user's library cannot be read.
    """
    from dtalker_model.voices.voices_library import voices_for

    wanted = (settings or Settings()).replace(**changes)
    card, engine = load_engine(model, threads, wanted.seed)
    voices = voices_for(card, wanted)
    known = with_voices(card, voices)
    wanted.check(known.identities, known.emotions, known.step_counts, hears(known), known.articulates)
    talker = Talker(card, engine, wanted, read_head_model(model_path(model)))
    talker.add_voices(voices)
    return talker
