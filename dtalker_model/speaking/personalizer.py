"""Embeddings of the identity and emotion that the settings ask for: one, or one for each frame that was heard."""

from __future__ import annotations

import numpy as np

from dtalker_model.card import ModelCard, table
from dtalker_model.settings import LIVE, MIX, Settings

DOUBT = 0.5
"""A speaker or an emotion that is less likely than this is in doubt: what is wrongly believed is seen, what is left out
hardly."""


class Personalizer:
    """The card's library and its mixtures: linear between the emotions chosen, between them and the one inferred by
    `live_share`, and along the distance from neutral by `intensity`.
    """

    def __init__(self, card: ModelCard) -> None:
        self.identities, self.emotions = tuple(card.identities), tuple(card.emotions)
        self._identity, self._emotion = table(card.identities), table(card.emotions)
        self._neutral = self._emotion[self.emotions.index("neutral")]
        self._unlabelled = np.array(card.unlabelled or self._neutral, np.float32)
        self._default = self._identity[self.identities.index("default")]
        self._heard_identity = _selection(card.listener_identities, self.identities, "default")
        self._heard_emotion = _selection(card.listener_emotions, self.emotions, "neutral")
        self._chosen: tuple[Settings, np.ndarray] | None = None

    @property
    def embedding_dim(self) -> int:
        """Length of an embedding."""
        return self._identity.shape[1]

    def identity(self, settings: Settings, heard: np.ndarray | None) -> np.ndarray:
        """Identity embeddings (T, D) by `heard` (T, I), the listener's probabilities; (1, D) if nothing is inferred."""
        if settings.identity == LIVE and heard is not None:
            return _believed(heard @ self._heard_identity, self._identity, self._default)
        name = "default" if settings.identity == LIVE else settings.identity
        return self._identity[self.identities.index(name)][None]

    def emotion(self, settings: Settings, heard: np.ndarray | None) -> np.ndarray:
        """Emotion embeddings (T, D) by `heard` (T, E), the listener's probabilities; (1, D) if nothing is inferred."""
        if heard is None and self._chosen is not None and self._chosen[0] is settings:
            return self._chosen[1]
        target = (self._weights(settings) @ self._emotion)[None]
        if heard is not None:
            share = np.float32(1.0 if settings.emotion == LIVE else settings.live_share)
            believed = _believed(heard @ self._heard_emotion, self._emotion, self._unlabelled)
            target = (1 - share) * target + share * believed
        target = self._neutral + np.float32(settings.intensity) * (target - self._neutral)
        if heard is None:  # the same for frame after frame
            self._chosen = settings, target
        return target

    def mixture(self, who: np.ndarray, mood: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Identity and emotion (T, D) of an enrolled voice: all that `who` (T, I) and `mood` (T, E) believe, doubts
        included; of a stranger they are all there is."""
        return who @ self._heard_identity @ self._identity, mood @ self._heard_emotion @ self._emotion

    def _weights(self, settings: Settings) -> np.ndarray:
        """Weight of each emotion of the library, (E,), summing to 1."""
        if settings.emotion == MIX:
            weights = np.array([settings.emotion_weights.get(name, 0.0) for name in self.emotions], np.float32)
            weights /= max(float(weights.sum()), 1.0)
        else:
            name = "neutral" if settings.emotion == LIVE else settings.emotion
            weights = np.array([float(n == name) for n in self.emotions], np.float32)
        weights[self.emotions.index("neutral")] += 1.0 - weights.sum()
        return weights


def _believed(heard: np.ndarray, table: np.ndarray, in_doubt: np.ndarray) -> np.ndarray:
    """Entries of `table` (N, D) by probability `heard` (T, N) where it is beyond doubt; for the rest `in_doubt`."""
    sure = np.maximum(heard - DOUBT, 0) / np.float32(1 - DOUBT)
    return in_doubt + (sure @ (table - in_doubt))


def _selection(heard: tuple[str, ...], library: tuple[str, ...], otherwise: str) -> np.ndarray:
    """(heard, library) matrix of 0 and 1: each name heard selects its entry of the library, or `otherwise`."""
    selection = np.zeros((len(heard), len(library)), np.float32)
    for row, name in enumerate(heard):
        selection[row, library.index(name if name in library else otherwise)] = 1.0
    return selection
