"""Train the listener, who hears identity and emotion: ``python -m training listener RUN``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dtalker_model.listener_network import ListenerConfig, ListenerNetwork
from training import loop
from training.augment import Augmentation
from training.corpus import EMOTIONS, Clip, corpus_folder, generic_name, read_manifest
from training.library import DEFAULT, Names
from training.phones import synthesise
from training.spectral import Disturbance, disturb
from training.variants import Variant, feature_statistics, make_variants

LOUD_ENOUGH = 2.0
"""Log-mel this far above a clip's quietest frames is speech."""


@dataclass(frozen=True)
class ListenerTraining:
    """Everything that decides a run of the listener.

    Attributes:
        share: how often each source is drawn.
        crop_frames: what the contrastive losses average over.
        disturbed, disturbance: share of crops whose features are disturbed. They sound like other people with the same
            emotion, so they have no identity.
    """

    share: dict[str, float] = field(
        default_factory=lambda: {"ravdess": 6, "ravdess_song": 1, "facegood": 1, "grid": 1, "flite": 1}
    )
    augmentation: Augmentation = field(
        default_factory=lambda: Augmentation(speed=(0.97, 1.03), gain_db=(-12, 9), tilt_db=(-5, 5))
    )
    disturbed: float = 0.6
    disturbance: Disturbance = field(default_factory=Disturbance)
    copies: int = 3
    crop_frames: int = 140
    batch: int = 48
    steps: int = 1500
    learning_rate: float = 1e-3
    weight_decay: float = 0.1
    ema: float = 0.99
    validate_every: int = 100
    patience: int = 8
    synthetic_sentences: int = 1200
    seed: int = 0


def identity_of(clip: Clip, names: Names) -> int:
    """Library index of a speaker: themselves, their source's generic entry, or `default` for synthetic voices."""
    for name in (clip.identity, generic_name(clip), DEFAULT):
        if name in names.identities:
            return names.identities.index(name)
    raise AssertionError("every library has a default")


class Crops:
    """Random crops for the contrastive losses: features, where they speak, and the two labels."""

    def __init__(self, variants: Sequence[Variant], config: ListenerTraining, names: Names) -> None:
        self.config, self.names = config, names
        self.by_source = {s: [v for v in variants if v.clip.source == s] for s in config.share}
        self.draw = np.random.default_rng(config.seed)

    def batch(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """features (B, T, 128), speech (B, T), identity (B,), emotion (B,)."""
        share = np.array(list(self.config.share.values()))
        sources = self.draw.choice(list(self.by_source), self.config.batch, p=share / share.sum())
        rows = [self._crop(self.by_source[s][self.draw.integers(len(self.by_source[s]))]) for s in sources]
        features, speech, identity, emotion = (torch.from_numpy(np.stack(c)) for c in zip(*rows))
        return features, speech, identity, emotion

    def _crop(self, v: Variant) -> tuple[Any, ...]:
        T = self.config.crop_frames
        begin = int(self.draw.integers(0, max(len(v.features) - T, 0) + 1))
        features = v.features[begin : begin + T].astype(np.float32)
        features = np.pad(features, ((0, T - len(features)), (0, 0)), mode="edge")
        speech, identity = spoken(features), identity_of(v.clip, self.names)
        emotion = EMOTIONS.index(v.clip.emotion) if v.clip.source != "flite" else -1
        if self.draw.random() < self.config.disturbed:
            features, identity = disturb(features, self.draw, self.config.disturbance), -1
        return features, speech, np.int64(identity), np.int64(emotion)


def spoken(features: np.ndarray) -> np.ndarray:
    """(T,) float32, 1 where a crop is loud: what the losses average over."""
    level = features.mean(axis=1)
    return (level > np.percentile(level, 5) + LOUD_ENOUGH).astype(np.float32)


def losses(network: ListenerNetwork, batch: tuple[Tensor, Tensor, Tensor, Tensor]) -> dict[str, Tensor]:
    """Contrastive losses over whole libraries, eqs. (5) and (6), of the mean similarity over speech."""
    features, speech, identity, emotion = batch
    similarity = averaged(network, features, speech)
    cross_entropy = nn.functional.cross_entropy
    terms = {
        "identity": cross_entropy(similarity[0], identity, ignore_index=-1, label_smoothing=0.05),
        "emotion": cross_entropy(similarity[1], emotion, ignore_index=-1, label_smoothing=0.1),
    }
    return {"loss": terms["identity"] + terms["emotion"], **terms}


def averaged(network: ListenerNetwork, features: Tensor, speech: Tensor) -> tuple[Tensor, Tensor]:
    """Mean logits over speech: identities (B, I), emotions (B, E)."""
    identity, emotion, _ = network(features, network.initial_state(len(features)))
    weight = (speech / speech.sum(dim=1, keepdim=True).clamp(min=1))[..., None]
    return (identity * weight).sum(dim=1), (emotion * weight).sum(dim=1)


class Validation:
    """Retrieval of the emotion on validation speakers; the score is its cross-entropy."""

    def __init__(self, folder: Path) -> None:
        clips = read_manifest(folder, "val", "ravdess")
        self.variants = make_variants(clips, 0, Augmentation(), 0)

    @torch.no_grad()
    def __call__(self, network: ListenerNetwork) -> dict:
        network.eval()
        right, loss = [], []
        for v in self.variants:
            features = torch.from_numpy(v.features.astype(np.float32))[None]
            speech = torch.from_numpy(spoken(features[0].numpy()))[None]
            logits = averaged(network, features, speech)[1]
            label = EMOTIONS.index(v.clip.emotion)
            right.append(float(logits.argmax() == label))
            loss.append(float(nn.functional.cross_entropy(logits, torch.tensor([label]))))
        network.train()
        return {"score": float(np.mean(loss)), "emotion_accuracy": float(np.mean(right)), "clips": len(right)}


def run(config: ListenerTraining, names: Names, folder: Path) -> None:
    """Train against the identities of `names` and all eight emotions; keep the best weights in `folder`."""
    torch.manual_seed(config.seed)
    folder.mkdir(parents=True, exist_ok=True)
    corpus = corpus_folder()
    clips = read_manifest(corpus, "train") + synthesise(folder.parent / "flite", config.synthetic_sentences)
    variants = make_variants(clips, config.copies, config.augmentation, config.seed)
    network = ListenerNetwork(ListenerConfig(len(names.identities), len(EMOTIONS)))
    mean, scale = feature_statistics(variants)
    network.mean.copy_(torch.from_numpy(mean))
    network.scale.copy_(torch.from_numpy(scale))
    saved = {
        "config": network.config.to_dict(),
        "identities": names.identities,
        "emotions": EMOTIONS,
        "training": asdict(config),
    }
    (folder / "config.json").write_text(json.dumps(saved, indent=1))
    crops = Crops(variants, config, names)
    plan = loop.Plan(
        config.steps, config.learning_rate, config.weight_decay, config.ema, config.validate_every, config.patience
    )
    loop.train(network, lambda _: losses(network, crops.batch()), Validation(corpus), plan, folder)
