"""Frozen HuBERT models from where they are published: transformers (hub id or folder) and torchaudio's bundles.

Both libraries are imported only when a model of theirs is asked for.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dtalker_model.errors import ModelError
from dtalker_model.networks.hubert_cnn import CONV_KERNELS, CONV_STRIDES, RECEPTIVE_SAMPLES
from dtalker_model.rates import SAMPLE_RATE_HZ

TORCHAUDIO = "torchaudio:"
"""Prefix of a source that names one of torchaudio's bundles, as in ``torchaudio:HUBERT_BASE``."""

NOT_PART_OF_THE_FEATURES = {"masked_spec_embed"}
"""Weights that only pre-training uses: a file may lack them."""


class FrozenHubert(nn.Module):
    """A HuBERT in evaluation mode whose weights do not learn, whichever library loaded it.

    Attributes:
        normalize: it was trained on clips of zero mean and unit variance.
        dim: length of a feature.
    """

    def __init__(self, network: nn.Module, normalize: bool, source: str) -> None:
        super().__init__()
        self.network = network.float().eval().requires_grad_(False)
        self.normalize = normalize
        self._check_front_end(source)
        with torch.inference_mode():
            self.dim = self(torch.zeros(1, RECEPTIVE_SAMPLES)).shape[-1]

    def train(self, mode: bool = True) -> FrozenHubert:
        """Stay in evaluation mode: dropout and masking would change the features."""
        return super().train(False)

    def forward(self, audio: Tensor) -> Tensor:
        """audio (B, samples) -> features of the last layer (B, (samples - 400) // 320 + 1, dim)."""
        return self.network(audio)[0]

    def _check_front_end(self, source: str) -> None:
        convolutions = [
            m for m in self.network.get_submodule("feature_extractor").modules() if isinstance(m, nn.Conv1d)
        ]
        shapes = [(*m.kernel_size, *m.stride) for m in convolutions]
        if shapes != list(zip(CONV_KERNELS, CONV_STRIDES)):
            raise ModelError(
                f"{source}: its convolutions (kernel, stride) are {shapes}, not HuBERT's; they do not give one feature "
                "per 20 ms frame. Use a HuBERT such as facebook/hubert-base-ls960"
            )


def load_hubert(source: str) -> FrozenHubert:
    """Load a HuBERT.

    Args:
        source: a local folder that transformers saved, a hub id such as ``facebook/hubert-base-ls960``, or
            ``torchaudio:`` and the name of a bundle, such as ``torchaudio:HUBERT_BASE``.

    Raises:
        ModelError: nothing there, not a HuBERT, damaged, or the hub or the library is out of reach. It says what to do.
    """
    if source.startswith(TORCHAUDIO):
        return _from_torchaudio(source.removeprefix(TORCHAUDIO), source)
    return _from_transformers(source)


def _from_transformers(source: str) -> FrozenHubert:
    try:
        transformers = import_module("transformers")
    except ImportError:
        raise ModelError(f"{source}: needs transformers: pip install transformers") from None
    place, reach = _place(source)
    try:
        kind = transformers.HubertConfig.get_config_dict(place, **reach)[0].get("model_type")
        if kind != "hubert":
            raise ModelError(f"{source}: a model of type {kind!r}, not 'hubert'. Try facebook/hubert-base-ls960")
        network, report = transformers.HubertModel.from_pretrained(
            place, **reach, use_safetensors=True, output_loading_info=True
        )
    except (OSError, RuntimeError, ValueError, _safetensor_error()) as error:
        raise ModelError(_out_of_reach(source, error, local=bool(reach))) from error
    lacking = set(report["missing_keys"]) - NOT_PART_OF_THE_FEATURES
    if lacking:
        raise ModelError(f"{source}: {len(lacking)} weights are missing, {min(lacking)} first: fetch the model again")
    return FrozenHubert(network, _wants_normalized(transformers, source, place, reach), source)


def _place(source: str) -> tuple[str, dict[str, bool]]:
    """Where transformers is to look, and whether there only: a folder never asks the hub."""
    folder = Path(source).expanduser()
    if folder.is_dir():
        _check_folder(folder)
        return str(folder), {"local_files_only": True}
    if folder.is_absolute() or source.startswith((".", "~")) or source.count("/") > 1:
        raise ModelError(f"{source}: no such folder. Give a folder with a HuBERT that transformers saved, or a hub id")
    return source, {}


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder}: has no config.json: not a model that transformers saved")
    if not any(folder.glob("model*.safetensors")):
        raise ModelError(
            f"{folder}: has no model.safetensors. Pickled weights are not read; if you trust them, convert them once: "
            "HubertModel.from_pretrained(FOLDER).save_pretrained(FOLDER)"
        )


def _out_of_reach(source: str, error: Exception, local: bool) -> str:
    reason = str(error).strip().splitlines()[0]
    if local:
        return f"{source}: cannot be loaded ({reason}): the files are damaged or incomplete, fetch them again"
    return (
        f"{source}: cannot be had from the Hugging Face hub ({reason}). Check the name and the network; or run "
        f"'hf download {source} --local-dir FOLDER' on a machine that reaches the hub, and give that folder"
    )


def _wants_normalized(transformers: Any, source: str, place: str, reach: dict[str, bool]) -> bool:
    """What the model's preprocessor_config.json says; transformers' own default, yes, where it has none."""
    try:
        extractor = transformers.Wav2Vec2FeatureExtractor.from_pretrained(place, **reach)
    except OSError:
        return True
    if extractor.sampling_rate != SAMPLE_RATE_HZ:
        raise ModelError(f"{source}: hears {extractor.sampling_rate} Hz; use a HuBERT for {SAMPLE_RATE_HZ} Hz")
    return bool(extractor.do_normalize)


def _safetensor_error() -> type[Exception]:
    return import_module("safetensors").SafetensorError


def _from_torchaudio(name: str, source: str) -> FrozenHubert:
    try:
        pipelines = import_module("torchaudio.pipelines")
    except (ImportError, OSError) as error:  # OSError: its library was built for another torch
        raise ModelError(
            f"{source}: torchaudio does not import ({error}). Install the torchaudio of your torch's own version and "
            "build: its x86-64 wheels on PyPI need torch built for CUDA; for torch built for the CPU take torchaudio "
            "from PyTorch's CPU index. Or use transformers: facebook/hubert-base-ls960"
        ) from error
    names = [n for n in dir(pipelines) if n.startswith("HUBERT_")]
    if name not in names:
        raise ModelError(f"{source}: torchaudio has no HuBERT bundle {name!r}. It has: {', '.join(names)}")
    bundle = getattr(pipelines, name)
    try:
        model = bundle.get_model()
    except (OSError, RuntimeError) as error:
        raise ModelError(
            f"{source}: its weights cannot be fetched ({error}). Fetch them once where there is a network, and copy "
            f"the file to {Path(torch.hub.get_dir()) / 'checkpoints'}"
        ) from error
    # A bundle that normalises does so around the model, on whatever it is given: we do it, once over the clip.
    network = model if hasattr(model, "feature_extractor") else model.model
    network.aux = None  # the letters of a model fine-tuned for recognition; the features come before them
    return FrozenHubert(network, network is not model, source)
