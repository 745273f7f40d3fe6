"""Identity and emotion embeddings, learned beside the student and exported as a table of names and vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.corpus.clips import Clip, generic_name

DEFAULT = "default"
UNKNOWN = "unknown"
"""The emotion that stands for a label that was dropped (classifier-free): the last entry, not offered to users."""
STRENGTH = {"normal": 1.0, "strong": 1.5}
"""Distance from neutral at which RAVDESS intensities are placed: a user's intensity 1 is its normal one."""


@dataclass(frozen=True)
class Names:
    """The entries of the library, in the order of its tables. `default` is an average speaker, neutral at rest."""

    identities: tuple[str, ...]
    emotions: tuple[str, ...]


def names_of(clips: Sequence[Clip], emotions: Sequence[str]) -> Names:
    """`default`, one generic entry per source with several speakers, then every speaker with motion."""
    speakers = sorted({c.identity for c in clips if c.motion})
    generic = sorted({generic_name(c) for c in clips if c.motion} - set(speakers))
    return Names((DEFAULT, *generic, *speakers), (*emotions, UNKNOWN))


class Library(nn.Module):
    """Embedding tables. Emotions are stored as differences from neutral, so that intensity scales them."""

    def __init__(self, names: Names, dim: int) -> None:
        super().__init__()
        self.names = names
        self.identity = nn.Parameter(0.5 * torch.randn(len(names.identities), dim))
        self.neutral = nn.Parameter(0.5 * torch.randn(dim))
        self.emotion_offset = nn.Parameter(0.5 * torch.randn(len(names.emotions), dim))

    def emotion(self, labels: Tensor, strength: Tensor) -> Tensor:
        """labels (B,), strength (B,) -> (B, dim): neutral plus the scaled offset; neutral's own offset is zero."""
        active = (labels != self.names.emotions.index("neutral")).to(strength.dtype) * strength
        return self.neutral + active[:, None] * self.emotion_offset[labels]

    def tables(self) -> tuple[Tensor, Tensor]:
        """Identity embeddings (I, dim) and emotion embeddings at strength 1 (E, dim), in the order of `names`."""
        every = torch.arange(len(self.names.emotions))
        return self.identity.detach(), self.emotion(every, torch.ones(len(every))).detach()
