"""Heads that are none, or odd, or never end: one error at once, from the sinks and from the page alike."""

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sink_rig import feed, ramp, tiny_head

from dtalker_model.avatar.document import check_document
from dtalker_model.avatar.names import arkit_index
from dtalker_model.sinks.heads.glb_container import Glb
from dtalker_model.view.avatar_file import AvatarError, read_avatar

Change = Callable[[dict[str, Any]], Any]


def _doubling(document: dict[str, Any]) -> None:
    """Each node twice the child of the one before: 2 to the power of 64 paths."""
    document["nodes"] = [{"children": [k + 1, k + 1]} for k in range(64)] + [{"mesh": 0}]


ODD: dict[str, Change] = {
    "meshes are a number": lambda d: d.update(meshes=3),
    "a mesh is a text": lambda d: d.update(meshes=["head"]),
    "a mesh without primitives": lambda d: d["meshes"][0].update(primitives=[]),
    "targets are an object": lambda d: d["meshes"][0]["primitives"][0].update(targets={"a": 1}),
    "attributes are a list": lambda d: d["meshes"][0]["primitives"][0].update(attributes=[1]),
    "weights are texts": lambda d: d["meshes"][0].update(weights=["x"]),
    "nodes are an object": lambda d: d.update(nodes={"0": {}}),
    "a child is a text": lambda d: d["nodes"][0].update(children=["1"]),
    "a child is negative": lambda d: d["nodes"][0].update(children=[-1]),
    "a child is missing": lambda d: d["nodes"][0].update(children=[9]),
    "a mesh is missing": lambda d: d["nodes"][1].update(mesh=9),
    "a matrix of three": lambda d: d["nodes"][0].update(matrix=[1, 2, 3]),
    "a translation of nothing": lambda d: d["nodes"][0].update(translation=[None, 0, 0]),
    "a node is its own child": lambda d: d["nodes"][1].update(children=[1]),
    "two nodes in a circle": lambda d: d["nodes"][1].update(children=[0]),
    "a scene is missing": lambda d: d.update(scene=7),
    "an accessor of a tera": lambda d: d["accessors"][0].update(count=10**12),
    "an accessor with half a count": lambda d: d["accessors"][0].update(count=0.5),
}
DEEPER: dict[str, Change] = {
    "an accessor beyond the data": lambda d: d["accessors"][0].update(byteOffset=10**6),
    "an accessor beyond the views": lambda d: d["accessors"][0].update(bufferView=99),
    "an accessor of nine": lambda d: d["accessors"][0].update(type="VEC9"),
    "an accessor of texts": lambda d: d["accessors"][0].update(componentType=1),
    "a target beyond the accessors": lambda d: d["meshes"][0]["primitives"][0]["targets"][1].update(POSITION=99),
    "a path for every number": _doubling,
}
"""What the page leaves to the browser."""


def changed(path: Path, change: Change) -> Path:
    """A tiny head with `change` made to its description."""
    glb = Glb.parse(tiny_head(path).read_bytes())
    change(glb.json)
    path.write_bytes(glb.to_bytes())
    return path


@pytest.mark.parametrize("name", ODD)
def test_the_page_refuses_what_is_odd(tmp_path: Path, name: str) -> None:
    path = changed(tmp_path / "odd.glb", ODD[name])
    with pytest.raises(AvatarError, match="is damaged: "):
        read_avatar(path)


@pytest.mark.parametrize(
    ("kind", "name"), [*(("glb", name) for name in ODD), *(("video", name) for name in {**ODD, **DEEPER})]
)
def test_a_sink_refuses_what_is_odd_at_once(tmp_path: Path, kind: str, name: str) -> None:
    if kind == "video":
        pytest.importorskip("PIL", reason="Pillow is not installed")
    path = changed(tmp_path / "odd.glb", {**ODD, **DEEPER}[name])
    target = f"{kind}:{tmp_path}/take.{'mp4' if kind == 'video' else 'glb'}?avatar={path}&rate=10"
    (line,) = feed([target], ramp(0.1))
    assert "is damaged" in line or "no .glb file" in line or "more than" in line or "needs ffmpeg" in line


@pytest.mark.parametrize("name", ["extras", "targetNames"])
def test_notes_may_be_anything(tmp_path: Path, name: str) -> None:
    def change(document: dict[str, Any]) -> None:
        mesh = {"primitives": document["meshes"][0]["primitives"], "extras": 7 if name == "extras" else {name: 7}}
        document["meshes"].append(mesh)

    path = changed(tmp_path / "odd.glb", change)
    assert len(read_avatar(path).morphs) == 3
    assert feed([f"{tmp_path}/take.glb?avatar={path}"], ramp(0.1)) == []


@pytest.mark.parametrize("text", [b"[]", b"3", b"[" * 200_000, b'{"meshes": ', b"\xff\xfe"])
def test_a_description_that_is_none(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "odd.glb"
    path.write_bytes(struct.pack("<4sIIII", b"glTF", 2, 20 + len(text), len(text), 0x4E4F534A) + text)
    with pytest.raises(AvatarError, match=r"odd\.glb: (is damaged|not a binary glTF)"):
        read_avatar(path)
    (line,) = feed([f"{tmp_path}/take.glb?avatar={path}"], ramp(0.1))
    assert "is no .glb file of glTF 2.0" in line


def test_a_pipe_or_a_path_without_end_is_no_head(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.glb")
    for path, fault in ((tmp_path / "pipe.glb", "no regular file"), (Path("x" * 100_000), "File name too long")):
        with pytest.raises(AvatarError, match=fault):
            read_avatar(path)
        (line,) = feed([f"{tmp_path}/take.glb?avatar={path}"], ramp(0.1))
        assert fault in line


def test_the_shipped_head_is_in_order() -> None:
    from dtalker_model.avatar import HEAD

    glb = Glb.read(HEAD)
    check_document(json.loads(json.dumps(glb.json)))


def test_a_name_of_a_megabyte_is_read_in_no_time() -> None:
    assert arkit_index("a_" * 500_000 + "jawOpen") == 17
    assert arkit_index("a_" * 500_000) is None
