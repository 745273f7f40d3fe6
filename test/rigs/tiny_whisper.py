"""A randomly initialised Whisper of a few thousand numbers, saved as transformers saves one."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import torch

DIM, LAYERS = 16, 5


def sizes(layers: int = LAYERS) -> Any:
    """The configuration of a tiny Whisper."""
    return import_module("transformers").WhisperConfig(
        d_model=DIM, encoder_layers=layers, encoder_attention_heads=2, encoder_ffn_dim=24, num_mel_bins=80,
        decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=24, vocab_size=50, pad_token_id=0,
        bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
    )  # fmt: skip


def save_encoder(folder: Path, layers: int = LAYERS) -> Path:
    """The encoder alone, in `folder`."""
    torch.manual_seed(0)
    whisper = import_module("transformers.models.whisper.modeling_whisper")
    whisper.WhisperEncoder(sizes(layers)).save_pretrained(folder)
    return folder
