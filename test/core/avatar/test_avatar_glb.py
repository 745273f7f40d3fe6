"""The file: valid binary glTF, small, the same every time, readable by libraries that are not ours."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pygltflib
import pytest
import trimesh
from glb_rig import Glb, glb, part

from dtalker_model.avatar import HEAD, head
from dtalker_model.blendshapes import ARKIT_NAMES

MAX_BYTES = 2_000_000
SIZES = {5121: 1, 5123: 2, 5125: 4, 5126: 4}


def test_small_enough() -> None:
    assert HEAD.stat().st_size <= MAX_BYTES


def test_generated_again_it_is_the_same() -> None:
    first = head.encode()
    assert first == head.encode()
    assert first == HEAD.read_bytes(), "run `python -m dtalker_model.avatar` and commit head.glb"


def test_the_command_writes_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dtalker_model.avatar", str(tmp_path / "head.glb")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "head.glb").read_bytes() == HEAD.read_bytes()


def test_public_domain() -> None:
    assert "CC0-1.0" in HEAD.with_name("LICENSE").read_text()
    assert glb().json["asset"]["copyright"] == "CC0 1.0"


def test_the_face_has_the_52_names_in_order() -> None:
    mesh = glb().json["meshes"][0]
    assert mesh["name"] == "Face"
    assert tuple(mesh["extras"]["targetNames"]) == ARKIT_NAMES
    assert len(mesh["primitives"][0]["targets"]) == len(mesh["weights"]) == 52
    assert all(np.abs(way).max() > 1.0 for way in part("Face").targets.values())


def test_other_parts_know_only_arkit_names() -> None:
    for mesh in glb().json["meshes"]:
        names = mesh.get("extras", {}).get("targetNames", [])
        assert set(names) <= set(ARKIT_NAMES)
        assert all(len(primitive.get("targets", [])) == len(names) for primitive in mesh["primitives"])


def test_stands_on_the_ground_and_looks_forward() -> None:
    parts = [part(mesh["name"]).points for mesh in glb().json["meshes"]]
    points = np.concatenate(parts)
    low, high = points.min(axis=0), points.max(axis=0)
    assert abs(low[1]) < 0.1 and 230.0 < high[1] < 250.0
    assert abs(low[0] + high[0]) < 0.1
    assert part("EyeLeft").points[:, 0].min() > 0.0 > part("EyeRight").points[:, 0].max()
    assert part("Face").points[:, 2].max() > 80.0


def check_accessor(file: Glb, index: int) -> None:
    spec = file.json["accessors"][index]
    values = file.accessor(index)
    assert spec["count"] == len(values)
    if "min" in spec:
        assert spec["min"] == [float(v) for v in values.min(axis=0)]
        assert spec["max"] == [float(v) for v in values.max(axis=0)]
    if "sparse" in spec:
        rows = file.view(spec["sparse"]["indices"]["bufferView"], np.uint16, spec["sparse"]["count"])
        assert len(rows) > 0 and np.all(np.diff(rows.astype(np.int64)) > 0) and rows[-1] < spec["count"]


def test_accessors_are_valid() -> None:
    """Bounds are exact, sparse rows rise, every view is aligned and inside the buffer, positions have bounds."""
    file = glb()
    for view in file.json["bufferViews"]:
        assert view["byteOffset"] % 4 == 0
        assert view["byteOffset"] + view["byteLength"] <= file.json["buffers"][0]["byteLength"] == len(file.binary)
    for index in range(len(file.json["accessors"])):
        check_accessor(file, index)
    for mesh in file.json["meshes"]:
        for primitive in mesh["primitives"]:
            for attributes in (primitive["attributes"], *primitive.get("targets", [])):
                assert "min" in file.json["accessors"][attributes["POSITION"]]
            indices = file.accessor(primitive["indices"])
            assert indices.max() < file.json["accessors"][primitive["attributes"]["POSITION"]]["count"]


def test_pygltflib_reads_it() -> None:
    document = pygltflib.GLTF2.load_from_bytes(HEAD.read_bytes())
    face = document.meshes[0]
    assert face.extras["targetNames"] == list(ARKIT_NAMES)
    morph = document.accessors[face.primitives[0].targets[17]["POSITION"]]
    assert morph.sparse.count > 100
    assert len(document.binary_blob()) == document.buffers[0].byteLength


def test_trimesh_reads_it() -> None:
    scene = trimesh.load(io.BytesIO(HEAD.read_bytes()), file_type="glb")
    assert isinstance(scene, trimesh.Scene)
    assert "Face" in scene.geometry
    skin = scene.geometry["Face"]
    assert isinstance(skin, trimesh.Trimesh)
    assert len(skin.faces) == len(part("Face").triangles)
    assert scene.extents[1] == pytest.approx(0.24, abs=0.01)
