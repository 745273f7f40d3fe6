"""The large audio encoder `hubert`: frozen HuBERT features, and the trained projection of them to F_a^L.

| our name      | DiffusionTalker                                                                       |
| ------------- | ------------------------------------------------------------------------------------- |
| HubertHearing | "The large audio encoder employs the pre-trained HuBERT model" (II.D.2), fixed (II.E) |
| HubertEncoder | large audio feature F_a^L                                                             |

The features are computed once per clip, beside the log-mel of the others. Offline: attention sees the whole window.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from dtalker_model.errors import ModelError
from dtalker_model.networks.hubert_cnn import EDGE_SAMPLES, HubertCnn
from dtalker_model.rates import FRAME_SAMPLES
from training.hearing.clip_check import require_clip
from training.hearing.fingerprint import fingerprint
from training.hearing.hubert_loaders import load_hubert
from training.hearing.windows import windows

WINDOW_FRAMES = 750
"""HuBERT hears at most 15 s at a time: the published models were trained on crops of up to 250,000 samples, 15.6 s."""

CONTEXT_FRAMES = 100
"""Rows within 2 s of a cut between two windows are taken from the other window."""

LEAST_VARIANCE = 1e-7
"""Added to a clip's variance, as HuBERT's own preprocessing does: silence stays silence."""


class HubertHearing:
    """Audio to frozen HuBERT features, exactly one row per frame.

    The clip is padded with zeros to whole frames and by 40 samples on either side. The convolutions compute row k from
    samples 320 k - 40 to 320 k + 360 of the clip, centred on frame k; attention then adds the rest of the window.

    Attributes:
        dim: length of a feature (768 for the base model).
        model: fingerprint of the weights.
    """

    def __init__(self, source: str, device: str | None = None) -> None:
        """Load a model.

        Args:
            source: as `load_hubert` takes it.
            device: where it computes; a GPU if there is one, by default.

        Raises:
            ModelError: as `load_hubert`.
        """
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.network = load_hubert(source).to(self.device)
        self.dim = self.network.dim
        self.model = fingerprint(self.network, self.network.normalize)

    @torch.inference_mode()
    def __call__(self, audio: np.ndarray) -> np.ndarray:
        """Features of one clip.

        Clips of more than 15 s are heard in windows of 15 s, so that memory is bounded. Each row comes from a window
        that goes on for 2 s on both sides of it; the rest of the clip does not reach it (attention, and the group norm
        of the first convolution, see the window only). The level is normalised over the whole clip, once.

        Args:
            audio: (samples,) mono float32 at 16 kHz, -1..1.

        Returns:
            (ceil(samples / 320), dim) float16.

        Raises:
            AudioError: wrong shape, type, or values that are not finite.
        """
        require_clip("HuBERT", audio)
        frames = -(-len(audio) // FRAME_SAMPLES)
        levelled = normalized(audio) if self.network.normalize else audio
        padded = np.pad(levelled, (EDGE_SAMPLES, frames * FRAME_SAMPLES - len(audio) + EDGE_SAMPLES))
        rows = np.empty((frames, self.dim), np.float16)
        for start, begin, end in windows(frames, WINDOW_FRAMES, CONTEXT_FRAMES):
            stop = min(start + WINDOW_FRAMES, frames) * FRAME_SAMPLES + 2 * EDGE_SAMPLES
            heard = torch.from_numpy(padded[start * FRAME_SAMPLES : stop]).to(self.device)
            rows[begin:end] = self.network(heard[None])[0, begin - start : end - start].cpu().numpy()
        return rows


def normalized(audio: np.ndarray) -> np.ndarray:
    """The clip (samples,) with zero mean and unit variance, float32."""
    if not len(audio):
        return audio
    return ((audio - audio.mean()) / np.sqrt(audio.var() + LEAST_VARIANCE)).astype(np.float32)


class HubertEncoder(nn.Module):
    """Frozen features to the large audio feature F_a^L: LayerNorm and a linear layer, which is what learns.

    F_a^L has zero mean and unit variance in each frame, as of every encoder here (`training.networks.encoders`).
    """

    hearing: ClassVar[str] = "hubert"

    def __init__(self, hidden_dim: int, audio_dim: int) -> None:
        """hidden_dim: `HubertHearing.dim`. audio_dim: length of F_a."""
        super().__init__()
        self.norm = nn.LayerNorm(hidden_dim)
        self.linear = nn.Linear(hidden_dim, audio_dim)
        self.out_norm = nn.LayerNorm(audio_dim, elementwise_affine=False)

    def forward(self, heard: Tensor) -> Tensor:
        """heard (B, T, hidden_dim) -> F_a^L (B, T, audio_dim)."""
        return self.out_norm(self.linear(self.norm(heard)))


def load_feature_extractor(encoder: HubertCnn, source: str) -> None:
    """Start the small encoder from the convolutions of a HuBERT, and from the layer norm that follows them there.

    Args:
        encoder: changed in place; its `conv_dim` must be the model's (512).
        source: as `load_hubert` takes it.

    Raises:
        ModelError: as `load_hubert`, or other sizes, or normalised otherwise than HuBERT's base model.
    """
    theirs = load_hubert(source).network
    try:
        encoder.feature_extractor.load_state_dict(theirs.get_submodule("feature_extractor").state_dict())
        norms = [m for name, m in theirs.named_modules() if name.endswith("feature_projection.layer_norm")]
        for norm in norms:
            encoder.norm.load_state_dict(norm.state_dict())
    except RuntimeError as error:
        raise ModelError(
            f"{source}: its convolutions do not fit {encoder.config}. Use a base model, such as "
            "facebook/hubert-base-ls960 (512 channels, group norm, no biases), and conv_dim 512"
        ) from error
