"""Sizes of a student, and which of them its graph offers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from dtalker_model.networks.hubert_cnn import HubertCnnConfig

ENCODERS = ("causal", "hubert_cnn")
MOTION_DIM = 52


@dataclass(frozen=True)
class StudentConfig:
    """Sizes of a student.

    Attributes:
        encoder: `causal`, ours, which streams; or `hubert_cnn`, the paper's, offline.
        hubert_cnn: sizes of the latter; its `audio_dim` is `encoder_dim`.
        feature_dim: values a frame that the encoder hears: log-mel, or 320 samples.
        motion_dim: blendshapes.
        encoder_dim: length of the audio feature.
        encoder_hidden, encoder_layers: channels of the encoder's convolutions and of its GRU layers, and their number.
        kernel_frames: frames that each of the two causal convolutions sees.
        decoder_dim: hidden size of the three GRU layers of the motion decoder.
        embedding_dim: length of an identity or emotion embedding.
        embedding_tokens: tokens that an embedding is read as by the integrator's cross-attention.
        noise_dim: length of the embedding of noise level, number of steps and articulation; a multiple of 6.
        step_counts: numbers of denoising steps that the exported graph offers.
        default_steps: the one that is used unless another is asked for.
        temperature_upper, temperature_lower: scale of the noise of upper and of lower face. Below 1 the samples lie
            nearer to the most likely motion.
    """

    encoder: str = "causal"
    hubert_cnn: HubertCnnConfig = field(default_factory=HubertCnnConfig)
    feature_dim: int = 128
    motion_dim: int = MOTION_DIM
    encoder_dim: int = 192
    encoder_hidden: int = 256
    encoder_layers: int = 2
    kernel_frames: int = 3
    decoder_dim: int = 128
    embedding_dim: int = 64
    embedding_tokens: int = 8
    noise_dim: int = 36
    step_counts: tuple[int, ...] = (1, 2, 4)
    default_steps: int = 2
    temperature_upper: float = 1.0
    temperature_lower: float = 0.5

    def __post_init__(self) -> None:
        if self.encoder not in ENCODERS:
            raise ValueError(f"encoder {self.encoder!r}: expected one of {', '.join(ENCODERS)}")
        if self.noise_dim < 6 or self.noise_dim % 6:
            raise ValueError(f"noise_dim {self.noise_dim}: expected a multiple of 6 (sine and cosine of 3 values)")

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a card or a checkpoint."""
        return asdict(self)
