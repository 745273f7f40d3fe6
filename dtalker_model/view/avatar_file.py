"""The head that the page shows: a .glb with ARKit morph targets, ours or a user's own."""

import json
import stat
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dtalker_model.avatar.document import check_document
from dtalker_model.avatar.names import arkit_index
from dtalker_model.errors import DtalkerError

HEAD = Path(__file__).parents[1] / "avatar" / "head.glb"
JSON_CHUNK = 0x4E4F534A
LARGEST_JSON_BYTES = 20_000_000
"""Of the description; a head's has a tenth of a megabyte."""


class AvatarError(DtalkerError):
    """A file that is no head for us."""


@dataclass(frozen=True)
class Avatar:
    """A head.

    Attributes:
        path: the .glb.
        morphs: index in `ARKIT_NAMES` of each morph target's name in the file.
    """

    path: Path
    morphs: Mapping[str, int]


def read_avatar(path: Path = HEAD) -> Avatar:
    """Read the names in a .glb; raises `AvatarError` where it is none, or has no ARKit blendshape at all."""
    found = {name: arkit_index(name) for name in _morph_names(_document(path))}
    morphs = {name: index for name, index in found.items() if index is not None}
    if not morphs:
        names = ", ".join(list(found)[:5]) or "none"
        raise AvatarError(f"{path}: has no ARKit blendshapes (morph targets: {names})")
    return Avatar(path, morphs)


def _document(path: Path) -> dict[str, Any]:
    """The JSON of a binary glTF."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise AvatarError(f"{path}: is no regular file")
        with path.open("rb") as file:
            magic, version, _, length, kind = struct.unpack("<4sIIII", file.read(20))
            if magic != b"glTF" or version != 2 or kind != JSON_CHUNK or length > LARGEST_JSON_BYTES:
                raise ValueError
            text = file.read(length)
        if len(text) < length:
            raise ValueError
        document = json.loads(text)
    except OSError as error:
        raise AvatarError(f"{path}: {error.strerror}") from error
    except (ValueError, struct.error, RecursionError):
        raise AvatarError(f"{path}: not a binary glTF 2.0 file (.glb)") from None
    try:
        check_document(document)
    except ValueError as error:
        raise AvatarError(f"{path}: is damaged: {error}") from None
    assert isinstance(document, dict)
    return document


def _morph_names(document: dict[str, Any]) -> list[str]:
    """Names of all morph targets of all meshes."""
    names: dict[str, None] = {}
    for mesh in document.get("meshes", []):
        extras = mesh.get("extras")
        listed = extras.get("targetNames") if isinstance(extras, dict) else None
        listed = listed if isinstance(listed, list) else []
        names |= dict.fromkeys(name for name in listed if isinstance(name, str))
    return list(names)
