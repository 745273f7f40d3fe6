"""Train the listener, who hears identity and emotion: ``python -m training listener RUN``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from dtalker_model.networks.listener_network import ListenerConfig, ListenerNetwork, moments, with_squares
from dtalker_model.rates import FRAME_RATE_HZ
from training.corpus.clips import EMOTIONS, VOICES, Clip, corpus_folder, read_manifest
from training.corpus.library import DEFAULT, Names, names_of
from training.corpus.phones import synthesise
from training.corpus.variants import statistics_of
from training.evaluation.retrieval import VERIFICATION_S, equal_error_rate, every_pair
from training.listening.voice_crops import HeardClip, VoiceBatch, VoiceSampler, VoiceSampling, hear, voices_of
from training.listening.voice_pitch import NO_PITCH, UNKNOWN
from training.loop import loop
from training.loop.config import from_dict
from training.networks.runs import BEST, save_settings, saved_settings

USUAL_RATE = 0.03
"""How far a step moves what is usual for people towards its batch."""


@dataclass(frozen=True)
class ListenerTraining:
    """Everything that decides a run of the listener.

    Attributes:
        left_out: speakers that are kept from training and validated on, such as ``["ravdess_13", "ravdess_14"]``;
            where there are none, the validation split is. A run is not ended early, so nothing is chosen on them.
        emotion, identity, pitch: weights of the losses.
        smoothing: of the emotion labels: actors do not always sound as they were told to.
        grid_every: only every so many clips of GRID, one man's 889.
    """

    sampling: VoiceSampling = field(default_factory=VoiceSampling)
    plan: loop.Plan = field(
        default_factory=lambda: loop.Plan(
            steps=2400, learning_rate=3e-3, weight_decay=0.1, ema=0.99, validate_every=2400
        )
    )
    left_out: tuple[str, ...] = ()
    emotion: float = 1.0
    identity: float = 0.2
    pitch: float = 1.0
    smoothing: float = 0.1
    grid_every: int = 6
    synthetic_sentences: int = 160
    seed: int = 0


class Listening(nn.Module):
    """The listener with its losses."""

    def __init__(self, network: ListenerNetwork, config: ListenerTraining) -> None:
        super().__init__()
        self.network, self.config = network, config

    def forward(self, acted: VoiceBatch, others: VoiceBatch) -> dict[str, Tensor]:
        """Eqs. (5) and (6) over whole libraries, and the pitch of the frames; `loss` is their weighted sum."""
        terms = {**self._mood_terms(acted), "identity": self._identity(acted, others)}
        weights = {name: getattr(self.config, name) for name in terms}
        return {"loss": torch.stack([weights[name] * term for name, term in terms.items()]).sum(), **terms}

    def _mood_terms(self, acted: VoiceBatch) -> dict[str, Tensor]:
        net, (N, G, _, _) = self.network, acted.features.shape
        features, speaking, pace = flat(acted)
        mood, pitch, _ = net.mood(net.heard(features), net.mood.initial_state(N * G))
        short = last_memory(mood, pace)
        self._learn_usual(short.detach())
        # What was heard before, as often as the history says.
        long = acted.history @ last_memory(mood, speaking * net.long_pace).reshape(N, G, -1)
        emotion = net.emotion_logits(moments(short, net.mood.dim), long.reshape(N * G, -1))
        return {
            "emotion": _cross_entropy(emotion, acted.emotion.flatten(), self.config.smoothing),
            "pitch": pitch_loss(pitch.flatten(0, 1), acted.pitch.flatten()),
        }

    def _identity(self, *batches: VoiceBatch) -> Tensor:
        net, parts = self.network, [flat(batch) for batch in batches]
        features, _, pace = (torch.cat(x) for x in zip(*parts))
        voice, _ = net.voice(net.heard(features), net.voice.initial_state(len(features)))
        embedding = net.voice_embedding(*moments(last_memory(voice, pace), net.voice.dim))
        return _cross_entropy(net.voice_logits(embedding), torch.cat([batch.voice.flatten() for batch in batches]))

    @torch.no_grad()
    def _learn_usual(self, sums: Tensor) -> None:
        """Let what is usual for people follow the mean of what is heard."""
        if self.training:
            self.network.usual.lerp_(sums.sum(dim=0) / sums[:, -1].sum(), USUAL_RATE)


def flat(batch: VoiceBatch) -> tuple[Tensor, Tensor, Tensor]:
    """Features (B, T, D), speaking and pace (B, T, 1) of the crops of all groups."""
    speaking = batch.speaking.flatten(0, 1)[..., None]
    return batch.features.flatten(0, 1), speaking, speaking * batch.pace.reshape(-1, 1, 1)


def pitch_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of the pitch of (N,) frames over (N, classes + 1), the last class for none; `UNKNOWN` is free."""
    none = torch.full_like(labels, logits.shape[-1] - 1)
    return _cross_entropy(logits, torch.where(labels == NO_PITCH, none, labels), ignored=UNKNOWN)


def _cross_entropy(logits: Tensor, labels: Tensor, smoothing: float = 0.0, ignored: int = -1) -> Tensor:
    """The sum over labelled rows divided by the number of all."""
    loss = nn.functional.cross_entropy(logits, labels, ignore_index=ignored, label_smoothing=smoothing, reduction="sum")
    return loss / len(labels)


def last_memory(x: Tensor, pace: Tensor) -> Tensor:
    """The memory of x (B, T, D) after all of it, from none before: the last row of `remember`, without the others."""
    passed = torch.cumsum(pace, dim=1)
    weight = pace * torch.exp(passed - passed[:, -1:])
    return (weight.transpose(1, 2) @ with_squares(x))[:, 0]


def name_of(voice: str, names: Names) -> str:
    """The library's name that a voice counts as: the speaker, their source's generic entry, or `default`."""
    for name in (voice, voice.rsplit("_", 1)[0]):
        if name in names.identities:
            return name
    return DEFAULT


class Validation:
    """Retrieval of emotion and identity on speakers left out; the score is the emotion's cross-entropy."""

    def __init__(self, clips: Sequence[HeardClip]) -> None:
        self.clips = clips
        self.labels = torch.tensor([EMOTIONS.index(c.clip.emotion) for c in clips])
        self.speakers = [c.clip.identity for c in clips]

    def __call__(self, task: Listening) -> dict[str, float]:
        """Accuracy over eight emotions when nothing else, the other clips, or clips of the same emotion were heard."""
        net = task.network
        long, voices = (torch.cat(column) for column in zip(*(self._memories(net, c) for c in self.clips)))
        short = moments(long, net.mood.dim)
        fresh = net.emotion_logits(short, long)
        found = {
            "emotion_fresh": self._accuracy(fresh),
            "emotion_accustomed": self._accuracy(net.emotion_logits(short, long + self._before(long, alike=False))),
            "emotion_sustained": self._accuracy(net.emotion_logits(short, long + self._before(long, alike=True))),
        }
        scores, same = every_pair((voices @ voices.T).numpy(), self.speakers)
        score = nn.functional.cross_entropy(fresh, self.labels).item()
        return {"score": score, **found, "identity_EER": equal_error_rate(scores, same), "clips": len(self.clips)}

    def _memories(self, net: ListenerNetwork, heard: HeardClip) -> tuple[Tensor, Tensor]:
        """Long memory of a whole clip, and the voice embedding of its middle 3 s."""
        features = net.heard(torch.from_numpy(heard.log_mel.astype(np.float32))[None])
        speaking = torch.from_numpy(heard.speaking)[None, :, None]
        mood, _, _ = net.mood(features, net.mood.initial_state(1))
        frames = round(VERIFICATION_S * FRAME_RATE_HZ)
        begin = max((features.shape[2] - frames) // 2, 0)
        voice, _ = net.voice(features[..., begin : begin + frames], net.voice.initial_state(1))
        spoken = speaking[:, begin : begin + frames]
        spoken = spoken if spoken.any() else torch.ones_like(spoken)
        embedding = net.voice_embedding(*moments(last_memory(voice, spoken * net.long_pace), net.voice.dim))
        return last_memory(mood, speaking * net.long_pace), embedding

    def _before(self, long: Tensor, alike: bool) -> Tensor:
        """What was heard before each clip: the speaker's other clips, or of these only those of the same emotion."""
        speakers = np.array(self.speakers)
        same = torch.from_numpy(speakers[:, None] == speakers) & ~torch.eye(len(long), dtype=torch.bool)
        if alike:
            same &= self.labels[:, None] == self.labels
        return same.float() @ long

    def _accuracy(self, logits: Tensor) -> float:
        return (logits.argmax(dim=-1) == self.labels).float().mean().item()


def main(config: ListenerTraining, folder: Path) -> None:
    """Train against the identities of all speakers with motion; keep the weights in `folder`."""
    seen = [c for c in read_manifest(corpus_folder(), "train") if c.motion]
    run(config, names_of(seen, EMOTIONS), folder)


def run(config: ListenerTraining, names: Names, folder: Path) -> None:
    """Train against the identities of `names` and all eight emotions; keep the weights in `folder`."""
    corpus = corpus_folder()
    clips = training_clips(config, corpus, folder.parent / "flite")
    heard, voices = hear(clips), voices_of(clips)
    torch.manual_seed(config.seed)
    network = ListenerNetwork(ListenerConfig(len(names.identities), len(EMOTIONS), len(voices)))
    network.normalise(*feature_statistics(heard))
    for k, voice in enumerate(voices):
        network.name_of[k, names.identities.index(name_of(voice, names))] = 1
    save_settings(folder, config, names, network=network.config.to_dict(), listener_emotions=EMOTIONS)
    sampler = VoiceSampler(heard, voices, config.sampling, network.config.pitches, config.seed)
    validation = Validation(hear(validation_clips(config, corpus)))

    def batch(step: int, share: loop.Share) -> tuple[VoiceBatch, VoiceBatch]:
        c = config.sampling
        return sampler.acted(step, share.rows(c.acted_groups)), sampler.others(step, share.rows(c.other_groups))

    loop.train(Listening(network, config), batch, validation, config.plan, folder, config.seed)


def open_listener(folder: Path) -> tuple[ListenerNetwork, tuple[str, ...], tuple[str, ...]]:
    """The trained network of a run, in evaluation mode, and the names of its identities and emotions."""
    saved = saved_settings(folder)
    network = ListenerNetwork(from_dict(ListenerConfig, saved["network"]))
    prefix = "network."
    weights = load_file(folder / BEST).items()
    network.load_state_dict({name.removeprefix(prefix): x for name, x in weights if name.startswith(prefix)})
    return network.eval(), tuple(saved["names"]["identities"]), tuple(saved["listener_emotions"])


def training_clips(config: ListenerTraining, corpus: Path, synthetic: Path) -> list[Clip]:
    """What is learned from: the train split without the speakers left out, and synthetic speech kept in `synthetic`."""
    sources = {*config.sampling.acted, *config.sampling.others}
    clips = [c for c in read_manifest(corpus, "train", voices=VOICES in sources) if c.identity not in config.left_out]
    grid = [c for c in clips if c.source == "grid"]
    spoken = synthesise(synthetic, config.synthetic_sentences) if "flite" in sources else []
    chosen = [c for c in clips if c.source != "grid"] + grid[:: config.grid_every] + spoken
    return [c for c in chosen if c.source in sources]


def validation_clips(config: ListenerTraining, corpus: Path) -> list[Clip]:
    """RAVDESS speech of the speakers left out of training."""
    if config.left_out:
        return [c for c in read_manifest(corpus, "train", "ravdess") if c.identity in config.left_out]
    return read_manifest(corpus, "val", "ravdess")


def feature_statistics(clips: Sequence[HeardClip]) -> tuple[Tensor, Tensor]:
    """Mean and 1 / deviation of each log-mel value over every seventh clip, each (128,)."""
    mean, scale = statistics_of([c.log_mel for c in clips[::7]])
    return torch.from_numpy(mean), torch.from_numpy(scale)
