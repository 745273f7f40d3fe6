"""The ears `whisper`: middle layers of a frozen Whisper encoder and log-mel beside them, one row a frame.

Lower and middle layers know more of the mouth than the last: rows are layers `LAYERS`, one after the other; how they
mix is learned by `training.networks.encoders.PretrainedEncoder`. Whisper's input is levelled by the window's own
maximum, so loudness is lost in part, and the jaw follows loudness: hence the log-mel.

transformers insists on windows of 30 s. The layers run here on windows as long as the clip and a second of silence: the
features are nearly the same (cosine .99 at layer 4) at a tenth of the cost.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dtalker_model.errors import ModelError
from dtalker_model.hearing.features import FEATURE_DIM
from dtalker_model.rates import FRAME_SAMPLES, SAMPLE_RATE_HZ
from training.corpus.variants import log_mel
from training.hearing.clip_check import require_clip
from training.hearing.fingerprint import fingerprint
from training.hearing.windows import windows

LAYERS = (2, 4)
"""Outputs of these layers of Whisper base, counted from 1."""

BASE = "44fe036b"
"""Fingerprint of Whisper base, whose rows are kept under the name of the ears alone."""

WINDOW_FRAMES, CONTEXT_FRAMES = 1400, 100
"""Windows of 28 s, rows within 2 s of a cut come from the other window; Whisper knows 1500 positions."""

SILENCE_SAMPLES = SAMPLE_RATE_HZ

ADVICE = (
    "give a folder that transformers saved or a hub id such as openai/whisper-base (--config, teacher.whisper, or "
    "DTALKER_WHISPER)"
)


def whisper_source(source: str = "") -> str:
    """Where the encoder is: `source`, else ``$DTALKER_WHISPER``, else ``../shared/hearing`` beside the checkout.

    Raises:
        ModelError: none of them is there.
    """
    beside = Path(__file__).parents[3] / "shared" / "hearing" / "whisper-base-encoder"
    found = source or os.environ.get("DTALKER_WHISPER", "") or (str(beside) if beside.is_dir() else "")
    if not found:
        raise ModelError(f"no Whisper encoder beside the checkout: {ADVICE}")
    return found


class WhisperHearing:
    """Audio to frozen Whisper features, exactly one row per frame.

    Row k of the layers is centred on sample 320 k, the first of frame k: windows of the mel are centred on multiples of
    160 samples, and the second convolution takes every other one. Attention then adds the rest of the window.

    Attributes:
        layer_dims: lengths of the layers in a row (512 and 512 for the base model); log-mel follows.
        dim: length of a row.
        model: fingerprint of the weights and the layers.
    """

    def __init__(self, source: str = "", device: str | None = None) -> None:
        """Load a model.

        Args:
            source: as `whisper_source` takes it.
            device: where it computes; a GPU if there is one, by default.

        Raises:
            ModelError: no such model, or the library is missing. It says what to do.
        """
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._encoder = _load(whisper_source(source)).to(self.device)
        if len(self._encoder.layers) < max(LAYERS):
            raise ModelError(f"a Whisper encoder of {len(self._encoder.layers)} layers is too small: {ADVICE}")
        self._mel = import_module("transformers").WhisperFeatureExtractor(self._encoder.config.num_mel_bins)
        self.layer_dims = (self._encoder.config.d_model,) * len(LAYERS)
        self.dim = sum(self.layer_dims) + FEATURE_DIM
        self.model = fingerprint(self._encoder, LAYERS)

    @torch.inference_mode()
    def __call__(self, audio: np.ndarray) -> np.ndarray:
        """Features of one clip; longer ones than 28 s are heard in windows.

        Args:
            audio: (samples,) mono float32 at 16 kHz, -1..1.

        Returns:
            (ceil(samples / 320), dim) float16.

        Raises:
            AudioError: wrong shape, type, or values that are not finite.
        """
        require_clip("Whisper", audio)
        frames = -(-len(audio) // FRAME_SAMPLES)
        padded = np.pad(audio, (0, frames * FRAME_SAMPLES - len(audio) + SILENCE_SAMPLES))
        rows = np.empty((frames, self.dim), np.float16)
        rows[:, -FEATURE_DIM:] = log_mel(audio)
        for start, begin, end in windows(frames, WINDOW_FRAMES, CONTEXT_FRAMES):
            stop = min(start + WINDOW_FRAMES, frames) * FRAME_SAMPLES + SILENCE_SAMPLES
            heard = self._window(padded[start * FRAME_SAMPLES : stop])
            rows[begin:end, :-FEATURE_DIM] = heard[begin - start : end - start]
        return rows

    def _window(self, audio: np.ndarray) -> np.ndarray:
        """(samples,) -> layers (samples / 320, .)."""
        encoder = self._encoder
        mel = self._mel(audio, sampling_rate=SAMPLE_RATE_HZ, padding=False, truncation=False, return_tensors="pt")
        x = torch.nn.functional.gelu(encoder.conv1(mel.input_features.to(self.device)))
        x = torch.nn.functional.gelu(encoder.conv2(x)).transpose(1, 2)
        x = x + encoder.embed_positions.weight[: x.shape[1]]
        return torch.cat([layer[0] for layer in self._layers(x)], dim=-1).cpu().numpy()

    def _layers(self, x: Any) -> Iterator[torch.Tensor]:
        for number, layer in enumerate(self._encoder.layers[: max(LAYERS)], start=1):
            x = layer(x, None)
            x = x if torch.is_tensor(x) else x[0]  # transformers 4 gives a tuple
            if number in LAYERS:
                yield x


def _load(source: str) -> Any:
    """The encoder alone, of an encoder that was saved by itself or of a whole Whisper."""
    try:
        whisper = import_module("transformers.models.whisper.modeling_whisper")
    except ImportError:
        raise ModelError(f"{source}: needs transformers: pip install transformers") from None
    options = {"local_files_only": Path(source).is_dir(), "use_safetensors": True, "output_loading_info": True}
    try:
        network, report = whisper.WhisperEncoder.from_pretrained(source, **options)
        if len(report["missing_keys"]) == len(network.state_dict()):  # its names begin with "encoder."
            network, report = whisper.WhisperModel.from_pretrained(source, **options)
    except (OSError, RuntimeError, ValueError, import_module("safetensors").SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"{source} cannot be loaded as a Whisper encoder ({reason}): {ADVICE}") from error
    lacking = [name for name in report["missing_keys"] if "decoder." not in name]
    if lacking:
        raise ModelError(f"{source}: {len(lacking)} weights are missing, {min(lacking)} first: {ADVICE}")
    encoder = network.get_encoder() if hasattr(network, "decoder") else network
    return encoder.float().eval().requires_grad_(False)
