"""Groups of crops in one voice: what the listener learns from. Each group is a function of seed, step and number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from dtalker_model.hearing.features import LogMel
from dtalker_model.hearing.voice_activity import VoiceActivity
from dtalker_model.rates import FRAME_RATE_HZ, FRAME_SAMPLES
from training.corpus.clips import EMOTIONS, Clip, load_audio
from training.listening.voice_change import Changed, VoiceChange, change, draw_change, hide_bands, read_at
from training.listening.voice_pitch import UNKNOWN, Pitch, pitch_classes, track_pitch

SPEAKING = 0.5
MARGIN_FRAMES = 5
SPEEDS = (1.0, 0.8, 0.89, 1.13, 1.26)
"""A voice played faster or slower is another voice: this makes five speakers of each."""


@dataclass(frozen=True)
class HeardClip:
    """A clip as the listener hears it.

    Attributes:
        clip: where it comes from.
        log_mel: (T, 128) float16.
        speaking: (T,) float32, the runtime's own gate, 0 or 1; all 1 where it never opened.
        pitch: of each frame.
    """

    clip: Clip
    log_mel: np.ndarray
    speaking: np.ndarray
    pitch: Pitch


@dataclass(frozen=True)
class VoiceBatch:
    """N groups of G crops of T frames; the crops of a group are one voice in one room.

    Attributes:
        features: (N, G, T, 128). speaking: (N, G, T), 0 or 1. pitch: (N, G, T), class, or below 0.
        voice: (N, G) entry of the voices, emotion: (N, G) index in `EMOTIONS`.
        pace: (N, G), 1 / frames of the short memory's time constant.
        history: (N, G, G), how often crop j was heard before crop i was: 0 or more.
    """

    features: Tensor
    speaking: Tensor
    pitch: Tensor
    voice: Tensor
    emotion: Tensor
    pace: Tensor
    history: Tensor


@dataclass(frozen=True)
class VoiceSampling:
    """How crops are drawn.

    Attributes:
        acted: how often each source is drawn for groups whose moods are learned; their voices are too.
        others: the same for groups of which only the voice is learned: recordings that sound otherwise would disturb
            what batch norm takes for the scale of a mood.
        change: another voice, another room.
        crop_frames: length T. group: crops of one voice, G.
        acted_groups, other_groups: groups of a step.
        other_speed: share of groups that are played at another speed, and so are another voice.
        fresh: share of crops before which nothing was heard.
        longest_history: how often one crop of the history may have been heard.
        time_constant_s: range of the short memory's.
    """

    acted: dict[str, float] = field(default_factory=lambda: {"ravdess": 8, "ravdess_song": 1})
    others: dict[str, float] = field(default_factory=lambda: {"facegood": 1, "grid": 1, "flite": 1.5})
    change: VoiceChange = field(default_factory=VoiceChange)
    crop_frames: int = 110
    group: int = 6
    acted_groups: int = 8
    other_groups: int = 2
    other_speed: float = 0.65
    fresh: float = 0.33
    longest_history: float = 25.0
    time_constant_s: tuple[float, float] = (2.0, 100.0)


def hear(clips: Sequence[Clip]) -> list[HeardClip]:
    """Features, gate and pitch of clips as recorded, with a progress bar."""
    return [_heard(clip, load_audio(clip)) for clip in tqdm(clips, "hear")]


def _heard(clip: Clip, audio: np.ndarray) -> HeardClip:
    features = LogMel().push(np.pad(audio, (0, -len(audio) % FRAME_SAMPLES)))
    speaking = (VoiceActivity().apply(features.level_db, features.voiced) > SPEAKING).astype(np.float32)
    speaking = speaking if speaking.any() else np.ones_like(speaking)
    return HeardClip(clip, features.log_mel.astype(np.float16), speaking, track_pitch(audio))


class VoiceSampler:
    """Draws groups; speakers of a source are drawn evenly. It holds no random state."""

    def __init__(
        self, clips: Sequence[HeardClip], voices: Sequence[str], sampling: VoiceSampling, pitches: int, seed: int
    ):
        """`voices` names the entries of the identity library; `pitches` is the number of classes."""
        self.sampling, self.pitches, self.seed = sampling, pitches, seed
        self.entry = {name: k for k, name in enumerate(voices)}
        self.by_source: dict[str, dict[str, list[HeardClip]]] = defaultdict(lambda: defaultdict(list))
        for heard in clips:
            self.by_source[heard.clip.source][heard.clip.identity].append(heard)

    def acted(self, step: int, groups: range) -> VoiceBatch:
        """These of a step's groups whose moods are learned."""
        return self._batch(self.sampling.acted, (step, 0), groups)

    def others(self, step: int, groups: range) -> VoiceBatch:
        """These of a step's groups of which only the voice is learned."""
        return self._batch(self.sampling.others, (step, 1), groups)

    def _batch(self, share: Mapping[str, float], key: tuple[int, int], groups: range) -> VoiceBatch:
        known = {source: weight for source, weight in share.items() if source in self.by_source}
        drawn = [self._group(known, np.random.default_rng((self.seed, *key, group))) for group in groups]
        return VoiceBatch(*(torch.from_numpy(np.stack(column)) for column in zip(*drawn)))

    def _group(self, share: Mapping[str, float], draw: np.random.Generator) -> tuple[np.ndarray, ...]:
        s = self.sampling
        weights = np.array(list(share.values()))
        source = list(share)[draw.choice(len(share), p=weights / weights.sum())]
        speaker = str(draw.choice(list(self.by_source[source])))
        pool = self.by_source[source][speaker]
        speed = SPEEDS[draw.integers(1, len(SPEEDS))] if draw.random() < s.other_speed else 1.0
        to = draw_change(draw, s.change)
        to = Changed(to.frequency * speed, to.gain_db, to.noise_db)
        chosen = [pool[k] for k in draw.integers(len(pool), size=s.group)]
        features, speaking, pitch = (np.stack(x) for x in zip(*(self._crop(c, to, speed, draw) for c in chosen)))
        emotion = np.array([EMOTIONS.index(c.clip.emotion) for c in chosen])
        voice = np.full(s.group, self.entry[voice_name(speaker, speed)])
        shortest, longest = np.log(s.time_constant_s)
        pace = np.exp(-draw.uniform(shortest, longest, s.group)) / FRAME_RATE_HZ
        return features, speaking, pitch, voice, emotion, pace.astype(np.float32), self._history(draw)

    def _crop(
        self, heard: HeardClip, to: Changed, speed: float, draw: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        s, n = self.sampling, len(heard.log_mel)
        step = speed * float(np.exp(draw.uniform(-s.change.tempo, s.change.tempo)))
        length = s.crop_frames * step
        spoken = np.flatnonzero(heard.speaking)
        ends = spoken[0] - MARGIN_FRAMES, spoken[-1] + MARGIN_FRAMES - length
        begin = np.clip(draw.uniform(min(ends) - 0.1 * length, max(ends)), 0, max(n - 1 - length, 0))
        position = begin + np.arange(s.crop_frames) * step
        nearest = np.clip(np.round(position).astype(int), 0, n - 1)
        first, last = nearest[0], min(nearest[-1] + 2, n)
        rows = read_at(heard.log_mel[max(first - 1, 0) : last].astype(np.float32), position - max(first - 1, 0), axis=0)
        features = change(rows, to, draw)
        hide_bands(features, s.change.masked_bands, draw)
        speaking = heard.speaking[nearest] * (position <= n - 1)
        octaves = heard.pitch.octaves[nearest] + np.log2(to.frequency)
        pitch = pitch_classes(octaves, heard.pitch.strength[nearest], self.pitches)
        return features, speaking.astype(np.float32), np.where(speaking > 0, pitch, UNKNOWN)

    def _history(self, draw: np.random.Generator) -> np.ndarray:
        """How often each crop was heard before each other; always once as itself."""
        s, G = self.sampling, self.sampling.group
        heard = draw.random((G, G)) < draw.random((G, 1))
        heard &= draw.random((G, 1)) >= s.fresh
        times = np.where(heard, draw.uniform(0.3, s.longest_history, (G, 1)), 0)
        np.fill_diagonal(times, 1)
        return times.astype(np.float32)


def voice_name(speaker: str, speed: float) -> str:
    """The name of a speaker's voice at a speed."""
    return speaker if speed == 1.0 else f"{speaker} x{speed:g}"


def voices_of(clips: Sequence[Clip]) -> tuple[str, ...]:
    """Names of all voices that crops of these clips can have."""
    return tuple(voice_name(speaker, speed) for speaker in sorted({c.identity for c in clips}) for speed in SPEEDS)
