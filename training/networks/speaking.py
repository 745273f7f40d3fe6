"""Networks that speak clips: their noise, their embeddings, and clips of like length sampled together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from dtalker_model.rates import DELAY_FRAMES
from training.corpus.clips import Clip, generic_name
from training.corpus.library import DEFAULT, Library

CLIPS_AT_ONCE = 16

Speak = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""heard (B, T, D), identity, emotion (B, T, 64), noise (B, T, 52) -> weights (B, T, 52)."""


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
    speak: Speak,
    library: Library,
    clips: Sequence[Clip],
    heard: Mapping[str, Tensor],
    seed: int = 0,
    styles: Mapping[str, tuple[Tensor, Tensor]] | None = None,
) -> dict[str, np.ndarray]:
    """Frames (T, 52), 0..1, of each clip by its id; clips of like length are sampled together.

    Args:
        speak: a model in evaluation mode.
        heard: by clip id (T, D), what the model's audio encoder hears.
        seed: each clip's noise is drawn from it and the clip's own name.
        styles: by clip id i and e (64,); None for the `embeddings` of its labels.
    """
    ordered = sorted(clips, key=lambda c: len(heard[c.id]))
    found = {}
    for k in range(0, len(ordered), CLIPS_AT_ONCE):
        group = ordered[k : k + CLIPS_AT_ONCE]
        T = max(len(heard[c.id]) for c in group) + DELAY_FRAMES
        x = torch.stack([_padded(heard[c.id], T) for c in group])
        identity, emotion = (
            torch.stack(e)[:, None].expand(-1, T, -1)
            for e in zip(*(styles[c.id] if styles else embeddings(library, c) for c in group))
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
