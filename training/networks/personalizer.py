"""The contrastive personalizer (DiffusionTalker II.C): who speaks and in which mood, by similarity with two libraries.

| our name                            | DiffusionTalker                    |
| ----------------------------------- | ---------------------------------- |
| identity, emotion embedding         | i, e                               |
| identity_encoder, emotion_encoder   | encoders of the two libraries      |
| library_features                    | F_id, F_e (one row an entry)       |
| audio_feature, audio_embedding      | F_a, a frame and a clip            |
| temperature                         | tau                                |
| similarities                        | F_a^T F_k / tau                    |
| len(library_features)               | M_id, M_e                          |

The paper writes F_a for a whole clip. Our encoders give F_a for every frame, so a clip is described by the mean and the
standard deviation of F_a over its speech, and a linear layer per library reads what that library needs from them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.corpus.library import Library, Names

LEAST_VARIANCE = 1e-5
"""Added to a variance before its root, whose slope at zero is infinite."""

UNLABELLED = -1
"""Label of a clip whose speaker or mood nobody knows: it costs nothing."""


def similarity(audio_embedding: Tensor, library_features: Tensor, temperature: float) -> Tensor:
    """Cosine over temperature, the exponents of eqs. (5) and (6): (B, D) and (K, D) -> (B, K)."""
    unit = nn.functional.normalize
    return unit(audio_embedding, dim=-1) @ unit(library_features, dim=-1).T / temperature


def contrastive_loss(audio_embedding: Tensor, library_features: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Eqs. (5) and (6): -log of the softmax at each clip's own entry, against the whole library.

    Args:
        audio_embedding: (B, D) of any length. library_features: (K, D).
        labels: (B,) row of the library, or `UNLABELLED`.

    Returns:
        The sum over labelled clips divided by B, so that means over processes are the loss of the global batch.
    """
    logits = similarity(audio_embedding, library_features, temperature)
    return nn.functional.cross_entropy(logits, labels, ignore_index=UNLABELLED, reduction="sum") / len(labels)


def pooled(audio_feature: Tensor, speech: Tensor) -> Tensor:
    """Mean and standard deviation over speech: (B, T, D), (B, T) 0..1 -> (B, 2 D); of all frames without it."""
    heard = speech.sum(dim=1, keepdim=True) > 0
    weight = torch.where(heard, speech, torch.ones_like(speech))[..., None]
    weight = weight / weight.sum(dim=1, keepdim=True)
    mean = (weight * audio_feature).sum(dim=1)
    variance = (weight * (audio_feature - mean[:, None]) ** 2).sum(dim=1)
    return torch.cat([mean, torch.sqrt(variance + LEAST_VARIANCE)], dim=-1)


class ContrastivePersonalizer(nn.Module):
    """The libraries of i and e, their encoders, and what compares speech with them."""

    def __init__(self, names: Names, embedding_dim: int, audio_dim: int, temperature: float = 0.1) -> None:
        """Entries of `names`; `embedding_dim` is the length of i and e, `audio_dim` that of F_a a frame."""
        super().__init__()
        self.temperature = temperature
        self.library = Library(names, embedding_dim)
        self.identity_encoder = _encoder(embedding_dim, audio_dim)
        self.emotion_encoder = _encoder(embedding_dim, audio_dim)
        self.identity_view = nn.Linear(2 * audio_dim, audio_dim)
        self.emotion_view = nn.Linear(2 * audio_dim, audio_dim)

    def library_features(self) -> tuple[Tensor, Tensor]:
        """F_id (I, audio_dim) and F_e (E, audio_dim), every entry of the libraries encoded."""
        return self.identity_encoder(self.library.identity), self.emotion_encoder(self._emotions())

    def audio_embeddings(self, audio_feature: Tensor, speech: Tensor) -> tuple[Tensor, Tensor]:
        """A clip's F_a as identity and as emotion, each (B, audio_dim), from F_a (B, T, audio_dim), speech (B, T)."""
        clip = pooled(audio_feature, speech)
        return self.identity_view(clip), self.emotion_view(clip)

    def similarities(self, audio_feature: Tensor, speech: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of identities (B, I) and emotions (B, E) for F_a (B, T, audio_dim) and speech (B, T) of 0..1."""
        pairs = zip(self.audio_embeddings(audio_feature, speech), self.library_features())
        identity, emotion = (similarity(audio, library, self.temperature) for audio, library in pairs)
        return identity, emotion

    def losses(self, audio_feature: Tensor, speech: Tensor, identity: Tensor, emotion: Tensor) -> dict[str, Tensor]:
        """``identity_contrast``, eq. (5), and ``emotion_contrast``, eq. (6); labels (B,) or `UNLABELLED`."""
        audio, features = self.audio_embeddings(audio_feature, speech), self.library_features()
        return {
            "identity_contrast": contrastive_loss(audio[0], features[0], identity, self.temperature),
            "emotion_contrast": contrastive_loss(audio[1], features[1], emotion, self.temperature),
        }

    def retrieve_labelled(self, identity: Tensor, emotion: Tensor, strength: Tensor) -> tuple[Tensor, Tensor]:
        """i and e by label, for training: identity, emotion, strength (B,) -> each (B, embedding_dim)."""
        return self.library.identity[identity], self.library.emotion(emotion, strength)

    def retrieve(self, audio_feature: Tensor, speech: Tensor, nearest: bool = False) -> tuple[Tensor, Tensor]:
        """i and e most similar to what is heard, for inference: each (B, embedding_dim).

        Args:
            audio_feature: F_a (B, T, audio_dim). speech: (B, T), 0..1.
            nearest: take the most similar entry; otherwise all, weighted by the softmax of their similarities.
        """
        weights = [_weights(logits, nearest) for logits in self.similarities(audio_feature, speech)]
        return weights[0] @ self.library.identity, weights[1] @ self._emotions()

    def _emotions(self) -> Tensor:
        """Emotion embeddings at strength 1, (E, embedding_dim)."""
        every = torch.arange(len(self.library.names.emotions), device=self.library.neutral.device)
        return self.library.emotion(every, torch.ones_like(every, dtype=self.library.neutral.dtype))


def _encoder(embedding_dim: int, audio_dim: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(embedding_dim, audio_dim), nn.ReLU(), nn.Linear(audio_dim, audio_dim))


def _weights(logits: Tensor, nearest: bool) -> Tensor:
    if nearest:
        return nn.functional.one_hot(logits.argmax(dim=-1), logits.shape[-1]).to(logits.dtype)
    return torch.softmax(logits, dim=-1)
