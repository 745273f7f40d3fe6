"""Train the teacher from the corpus: ``python -m training teacher RUN``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from dtalker_model.rates import DELAY_FRAMES
from training.loop import loop
from training.corpus.clips import Clip, corpus_folder, generic_name, load_audio, read_manifest
from training.networks.encoders import ScratchEncoder
from training.evaluation.evaluate import SOURCES, figures
from training.corpus.face_basis import lip_basis_cm
from training.hearing.registry import hearings
from training.corpus.library import DEFAULT, Library
from training.stages.preparation import Data, DataConfig, face_geometry, motion_statistics, prepare
from training.networks.runs import save_settings
from training.networks.teacher import HearingTask, Teacher, TeacherConfig
from training.corpus.variants import Hearing, feature_statistics, log_mel

CLIPS_AT_ONCE = 16

Speak = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""heard (B, T, D), identity, emotion (B, T, 64), noise (B, T, 52) -> weights (B, T, 52)."""


@dataclass(frozen=True)
class TeacherTraining:
    """Everything that decides a run; saved beside its weights.

    Attributes:
        hearing: how the audio encoder learns phones, voices and moods first.
        plan: how everything then learns.
        settling: how the decoder then learns to go on from what it has said itself. A recording in noise tells how far
            the face moves; its own prediction does not, and a network that has met recordings alone exaggerates it anew
            in each of its 16 steps.
    """

    teacher: TeacherConfig = field(default_factory=TeacherConfig)
    data: DataConfig = field(default_factory=DataConfig)
    hearing: loop.Plan = field(default_factory=lambda: loop.Plan(300, ema=0.98, precision="bf16"))
    plan: loop.Plan = field(
        default_factory=lambda: loop.Plan(650, encoder_rate=0.5, ema=0.985, validate_every=130, precision="bf16")
    )
    settling: loop.Plan = field(
        default_factory=lambda: loop.Plan(120, encoder_rate=0.0, ema=0.97, validate_every=60, precision="bf16")
    )
    seed: int = 0


def embeddings(library: Library, clip: Clip) -> tuple[Tensor, Tensor]:
    """i and e (64,) of a clip: itself where the library knows the speaker, else the generic style of its source."""
    known = library.names.identities
    name = next(n for n in (clip.identity, generic_name(clip), DEFAULT) if n in known)
    label = library.names.emotions.index(clip.emotion)
    device = library.identity.device
    emotion = library.emotion(torch.tensor([label], device=device), torch.ones(1, device=device))[0]
    return library.identity[known.index(name)], emotion


@torch.no_grad()
def predict(
    speak: Speak, library: Library, clips: Sequence[Clip], heard: Mapping[str, Tensor], seed: int = 0
) -> dict[str, np.ndarray]:
    """Frames (T, 52), 0..1, of each clip by its id; clips of like length are sampled together.

    Args:
        speak: a model in evaluation mode.
        heard: by clip id (T, D), what the model's audio encoder hears.
        seed: each clip's noise is drawn from it and the clip's own name.
    """
    ordered = sorted(clips, key=lambda c: len(heard[c.id]))
    found = {}
    for k in range(0, len(ordered), CLIPS_AT_ONCE):
        group = ordered[k : k + CLIPS_AT_ONCE]
        T = max(len(heard[c.id]) for c in group) + DELAY_FRAMES
        x = torch.stack([_padded(heard[c.id], T) for c in group])
        identity, emotion = (
            torch.stack(e)[:, None].expand(-1, T, -1) for e in zip(*(embeddings(library, c) for c in group))
        )
        noise = torch.stack([clip_noise(c, T, seed) for c in group])
        weights = speak(x.to(identity.device), identity, emotion, noise.to(identity.device)).cpu()
        for clip, row in zip(group, weights):
            found[clip.id] = row[DELAY_FRAMES : DELAY_FRAMES + len(heard[clip.id])].clamp(0, 1).numpy()
    return found


def _padded(x: Tensor, length: int) -> Tensor:
    return torch.cat([x, x[-1:].expand(length - len(x), -1)])


def clip_noise(clip: Clip, frames: int, seed: int) -> Tensor:
    """Standard normal (frames, 52) that belongs to a clip and a seed, whatever is sampled beside it."""
    draw = np.random.default_rng([seed, *clip.id.encode()])
    return torch.from_numpy(draw.standard_normal((frames, 52), np.float32))


class Validation:
    """Figures of a model on the validation clips. The score, to be minimised, weighs the sources equally."""

    def __init__(self, folder: Path, hear: Hearing = log_mel, sources: Sequence[str] = SOURCES) -> None:
        clips = [c for c in read_manifest(folder, "val") if c.motion and c.source in sources]
        self.heard = {c.id: torch.from_numpy(hear(load_audio(c)).astype(np.float32)) for c in clips}
        self.by_source = {s: [c for c in clips if c.source == s] for s in sources}
        self.basis_cm = lip_basis_cm(folder)

    def __call__(self, speak: Speak, library: Library) -> dict[str, float]:
        """LVE and correlations by source, and their score."""
        said = {s: predict(speak, library, clips, self.heard) for s, clips in self.by_source.items()}
        rows = {s: figures(lambda c: said[c.source][c.id], c, self.basis_cm) for s, c in self.by_source.items()}
        flat = {f"{s}_{name}": value for s, row in rows.items() for name, value in row.items()}
        score = np.mean([np.log(row["LVE"]) - 2 * row["jawOpen"] for row in rows.values()])
        return {"score": float(score), **flat}


def build(config: TeacherConfig, data: Data, corpus: Path) -> Teacher:
    """A fresh teacher whose normalisation is that of the training data."""
    teacher = Teacher(config, data.names)
    mean, scale = motion_statistics(data.moving, data.config.posed_deviation)
    gram, gap = face_geometry(corpus, scale)
    feature_mean, feature_scale = map(torch.from_numpy, feature_statistics(data.moving))
    buffers = {teacher.motion_mean: mean, teacher.motion_scale: scale, teacher.gram: gram, teacher.gap: gap}
    if isinstance(teacher.encoder, ScratchEncoder):
        buffers |= {teacher.encoder.mean: feature_mean, teacher.encoder.scale: feature_scale}
    for buffer, value in buffers.items():
        buffer.copy_(value)
    return teacher


def run(config: TeacherTraining, folder: Path) -> None:
    """Prepare, train, keep the best weights and the configuration in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus = corpus_folder()
    hears = hearings({config.teacher.encoder}, config.teacher.hubert)
    data = prepare(config.data, corpus, folder.parent, hears)
    torch.manual_seed(config.seed)
    teacher = build(config.teacher, data, corpus)
    save_settings(folder, config, data.names)
    validation = Validation(corpus, hears[teacher.encoder.hearing], tuple(config.data.share))
    figures = lambda m: validation(m.speak, m.library)  # noqa: E731
    hearing = replace(config.hearing, validate_every=config.hearing.steps)
    lesson(HearingTask(teacher), data, lambda _: {"score": 0.0}, hearing, folder / "hearing", config.seed)
    lesson(teacher, data, figures, config.plan, folder / "motion", config.seed)
    teacher.own = config.teacher.own
    lesson(teacher, data, figures, config.settling, folder, config.seed + 1)


def lesson(
    task: torch.nn.Module,
    data: Data,
    figures: Callable[[Any], dict[str, float]],
    plan: loop.Plan,
    folder: Path,
    seed: int,
) -> None:
    """Train `task`; it holds its best weights when this returns."""
    loop.train(task, data.batch, figures, plan, folder, seed)
    task.load_state_dict(load_file(folder / loop.BEST))
