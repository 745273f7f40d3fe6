"""Voices that no model heard: what the lips do at their phones, in quiet, in noise and on the telephone.

The clips are those of ``voices.jsonl``, split ``val``: children and adults who are in no training clip. Nobody recorded
their faces; what is known is what they say, by forced alignment. The first `CLIPS_A_VOICE` of each voice are taken, and
of these the ones that could be aligned. Models speak them as ``default``, neutral.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

from dtalker_model.rates import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from training.corpus.clips import VOICES, Clip, load_audio, read_manifest
from training.corpus.face_basis import FaceBasis
from training.evaluation.bootstrap import Figure
from training.evaluation.conditions import CONDITIONS
from training.evaluation.lips import lip_figures, lip_sums, lips_of
from training.evaluation.predictor import Predictor
from training.evaluation.scores import Row, entry
from training.evaluation.spoken_phones import spoken_phones

CLIPS_A_VOICE = 10
ADULT_YEARS = 16
"""Who is younger is a child; a voice of unknown age (LibriSpeech) is an adult's."""

VoiceSums = dict[str, dict[str, np.ndarray]]
"""By voice, what its clips add to each figure of the lips."""


def stranger_clips(folder: Path, split: str) -> list[Clip]:
    """The clips described above, with their phones; none where the corpus has no voices."""
    chosen = first_clips(folder, split)
    return [replace(c, phones=tuple(p)) for c, p in zip(chosen, spoken_phones(chosen)) if p]


def first_clips(folder: Path, split: str) -> list[Clip]:
    """The first `CLIPS_A_VOICE` of each voice, whether or not they can be aligned."""
    of_voice: dict[str, list[Clip]] = defaultdict(list)
    for clip in read_manifest(folder, split, VOICES):
        of_voice[clip.identity].append(clip)
    return [clip for clips in of_voice.values() for clip in clips[:CLIPS_A_VOICE]]


def is_child(clip: Clip) -> bool:
    """Whether the speaker is known to be younger than `ADULT_YEARS`."""
    return clip.age is not None and clip.age < ADULT_YEARS


GROUPS = {"all": lambda clip: True, "adults": lambda clip: not is_child(clip), "children": is_child}
"""Whose figures have rows of their own."""


def spoilt(clips: Sequence[Clip], condition: str, folder: Path) -> list[Clip]:
    """The clips as heard in a condition, written into `folder`; the clips themselves where nothing happens to them.

    Each has an id of its own, so that nobody takes what is kept of the one for the other. The randomness is the clip's.
    """
    if condition == "clean":
        return list(clips)
    one_each = {clip.identity: clip for clip in clips}
    voices = {name: load_audio(clip) for name, clip in one_each.items()}
    found = []
    for clip in clips:
        others = [audio for name, audio in voices.items() if name != clip.identity]
        heard = CONDITIONS[condition](load_audio(clip), others, np.random.default_rng([*clip.id.encode()]))
        name = f"{clip.id}-{condition.replace(' ', '_')}"
        soundfile.write(folder / f"{name}.flac", heard, SAMPLE_RATE_HZ)
        found.append(replace(clip, folder=folder, id=name, audio=f"{name}.flac"))
    return found


def stranger_rows(models: Mapping[str, Predictor], folder: Path, split: str, face: FaceBasis) -> Iterator[Row]:
    """A row for each condition, model and group of voices; none where the corpus has no voices with phones."""
    clips = stranger_clips(folder, split)
    for condition in CONDITIONS if clips else ():
        with TemporaryDirectory() as spoilt_here:
            heard = spoilt(clips, condition, Path(spoilt_here))
            for name, model in models.items():
                said = model(heard)
                names = {"source": VOICES, "condition": condition, "emotion": "all", "predictor": name}
                yield from group_rows(names, clips, said, face)


def group_rows(
    names: Mapping[str, str], clips: Sequence[Clip], said: Sequence[np.ndarray], face: FaceBasis
) -> Iterator[Row]:
    """A row for each of `GROUPS` that has clips; `said` as in `figures_of`."""
    for group, belongs in GROUPS.items():
        here = [(clip, frames) for clip, frames in zip(clips, said) if belongs(clip)]
        if here:
            mine, frames = zip(*here)
            yield stranger_row({**names, "group": group}, mine, figures_of(mine, frames, face))


def figures_of(clips: Sequence[Clip], said: Sequence[np.ndarray], face: FaceBasis) -> dict[str, Figure]:
    """Figures of the lips; intervals come from drawing voices, not clips.

    Args:
        said: frames (T, 52) at 50 Hz of each clip.
    """
    of_voice: VoiceSums = {}
    for clip, weights in zip(clips, said):
        sums = lip_sums(lips_of(weights, np.arange(len(weights)) / FRAME_RATE_HZ, face), clip.phones)
        before = of_voice.get(clip.identity)
        of_voice[clip.identity] = {name: x + before[name] for name, x in sums.items()} if before else sums
    return lip_figures(list(of_voice.values()))


def stranger_row(names: Mapping[str, str], clips: Sequence[Clip], figures: Mapping[str, Figure]) -> Row:
    """One row: its names, how much was heard, every figure with its interval."""
    row: Row = {**names, "clips": len(clips), "voices": len({c.identity for c in clips})}
    for name, figure in figures.items():
        row |= entry(name, figure.value, figure.interval)
    return row
