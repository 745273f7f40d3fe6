"""Morph targets of a glTF head: their names and what they are called in ARKit."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dtalker_model.avatar import HEAD
from dtalker_model.avatar.names import arkit_index
from dtalker_model.errors import SinkError
from dtalker_model.sinks.heads.glb_container import Glb


def read_head(path: Path | None) -> Glb:
    """The head in `path`, or our own; raises `SinkError` where it is no head."""
    glb = Glb.read(path or HEAD)
    if not any(known(mesh) for mesh in glb.json.get("meshes", [])):
        raise SinkError(f"the head {path or HEAD} has no morph targets with ARKit names")
    return glb


@contextmanager
def damaged(path: Path | None) -> Iterator[None]:
    """What fails inside while the head in `path` is looked into is a `SinkError` about that head."""
    try:
        yield
    except SinkError:
        raise
    except (ValueError, TypeError, LookupError, ArithmeticError, MemoryError) as error:
        raise SinkError(f"the head {path or HEAD} is damaged ({type(error).__name__}: {error})") from error


def target_names(mesh: dict[str, Any]) -> list[str]:
    """Names of the mesh's morph targets; empty strings where it says none."""
    count = len(mesh["primitives"][0].get("targets", []))
    names = _listed(mesh) or _listed(mesh["primitives"][0])
    return [str(name) for name in names][:count] + [""] * (count - len(names))


def _listed(entry: dict[str, Any]) -> list[Any]:
    """Names in the extras of a mesh or a primitive, where anybody may write anything."""
    extras = entry.get("extras")
    names = extras.get("targetNames") if isinstance(extras, dict) else None
    return names if isinstance(names, list) else []


def known(mesh: dict[str, Any]) -> dict[int, int]:
    """Index of a morph target to its index in `ARKIT_NAMES`, for those that have one."""
    indices = {target: arkit_index(name) for target, name in enumerate(target_names(mesh))}
    return {target: index for target, index in indices.items() if index is not None}


def mesh_weights(mesh: dict[str, Any], weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Weights (T, targets) of the mesh's own morph targets for ARKit `weights` (T, 52); others keep their default."""
    names = target_names(mesh)
    rest = (list(mesh.get("weights", [])) + [0.0] * len(names))[: len(names)]
    result = np.tile(np.array(rest, np.float32), (len(weights), 1))
    for target, index in known(mesh).items():
        result[:, target] = weights[:, index]
    return result
