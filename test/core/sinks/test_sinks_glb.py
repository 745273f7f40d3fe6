"""The head with the take baked on, read back by pygltflib and trimesh."""

import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkout import ROOT
from sink_rig import TINY_INDICES, TINY_TARGETS, feed, ramp, tiny_head

from dtalker_model.sinks.heads.glb_container import Glb
from dtalker_model.sinks.heads.glb_morphs import known

SECONDS = 2.0


@pytest.fixture
def head(tmp_path: Path) -> Path:
    return tiny_head(tmp_path / "tiny.glb")


def floats(gltf: Any, index: int) -> np.ndarray:
    """An accessor's values, taken from pygltflib's view of the file."""
    accessor = gltf.accessors[index]
    view = gltf.bufferViews[accessor.bufferView]
    assert (accessor.componentType, accessor.type) == (5126, "SCALAR")
    assert view.byteOffset % 4 == 0
    assert view.byteLength == 4 * accessor.count
    return np.frombuffer(gltf.binary_blob(), "<f4", accessor.count, view.byteOffset)


def animated_weights(path: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Times, and weights (T, targets) of each animated mesh by its name, as pygltflib reads them."""
    pygltflib = pytest.importorskip("pygltflib")
    gltf = pygltflib.GLTF2().load_binary(str(path))
    (animation,) = gltf.animations
    times, meshes = np.zeros(0), {}
    for channel in animation.channels:
        assert channel.target.path == "weights"
        sampler = animation.samplers[channel.sampler]
        assert sampler.interpolation == "LINEAR"
        times = floats(gltf, sampler.input)
        assert gltf.accessors[sampler.input].min == [times.min()]
        assert gltf.accessors[sampler.input].max == [times.max()]
        mesh = gltf.meshes[gltf.nodes[channel.target.node].mesh]
        targets = len(mesh.primitives[0].targets)
        meshes[str(channel.target.node)] = floats(gltf, sampler.output).reshape(len(times), targets)
    return times, meshes


def test_the_take_is_an_animation_of_the_morph_targets(tmp_path: Path, head: Path) -> None:
    path = tmp_path / "take.glb"
    assert feed([f"{path}?avatar={head}"], ramp(SECONDS)) == []
    times, meshes = animated_weights(path)
    np.testing.assert_allclose(times, np.arange(60) / 30, atol=1e-6)
    (weights,) = meshes.values()
    assert weights.shape == (60, len(TINY_TARGETS))
    for target, index in TINY_INDICES.items():
        expected = (index + 1) / 60 * np.minimum(np.arange(60) / 30, SECONDS - 0.02) / SECONDS
        np.testing.assert_allclose(weights[:, target], expected, atol=1e-5)
    np.testing.assert_allclose(weights[:, 2], 0.25)  # not ARKit's: stays at its default
    assert sorted(path.name for path in tmp_path.iterdir()) == ["take.glb", "tiny.glb"]


def test_a_take_of_frames_that_are_not_finite_is_an_animation(tmp_path: Path, head: Path) -> None:
    path, frames = tmp_path / "take.glb", ramp(SECONDS)
    frames[30].weights[:] = np.nan
    assert len(feed([f"{path}?avatar={head}"], frames)) == 1
    times, meshes = animated_weights(path)
    assert all(np.isfinite(values).all() for values in (times, *meshes.values()))


def test_the_head_itself_stays_what_it_was(tmp_path: Path, head: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    path = tmp_path / "take.glb"
    feed([f"{path}?avatar={head}"], ramp(SECONDS))
    for file in (path, head):
        scene = trimesh.load(file, process=False)
        (mesh,) = scene.geometry.values()
        assert mesh.vertices.shape == (4, 3)
        assert mesh.faces.shape == (4, 3)
    data = path.read_bytes()
    assert len(data) == struct.unpack_from("<I", data, 8)[0]


def test_our_own_head(tmp_path: Path) -> None:
    path = tmp_path / "take.glb"
    assert feed([str(path)], ramp(SECONDS)) == []
    _, meshes = animated_weights(path)
    animated = {index for mesh in Glb.read(path).json["meshes"] for index in known(mesh).values()}
    assert animated == set(range(52))
    assert all(np.ptp(weights, axis=0).max() > 0 for weights in meshes.values())


def test_normalised_sparse_and_strided_accessors_are_read() -> None:
    binary = np.array([[0, 127, -127, 0]], "<i1").tobytes() + struct.pack("<H2x3f", 2, 1, 2, 3)
    views = [
        {"buffer": 0, "byteLength": 4, "byteStride": 4},
        {"buffer": 0, "byteOffset": 4, "byteLength": 2},
        {"buffer": 0, "byteOffset": 8, "byteLength": 12},
    ]
    sparse = {"count": 1, "indices": {"bufferView": 1, "componentType": 5123}, "values": {"bufferView": 2}}
    accessors = [
        {"bufferView": 0, "componentType": 5120, "normalized": True, "count": 1, "type": "VEC3"},
        {"componentType": 5126, "count": 4, "type": "VEC3", "sparse": sparse},
    ]
    glb = Glb({"bufferViews": views, "accessors": accessors}, binary)
    np.testing.assert_allclose(glb.array(0), [[0, 1, -1]])
    np.testing.assert_allclose(glb.array(1), [[0, 0, 0], [0, 0, 0], [1, 2, 3], [0, 0, 0]])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read the head {}: No such file or directory"),
        (b"", "the head {} is no .glb file of glTF 2.0"),
        (b"solid STL" * 10, "the head {} is no .glb file of glTF 2.0 (another kind of file)"),
        (Glb({"asset": {"version": "2.0"}}, b"").to_bytes(), "the head {} has no morph targets with ARKit names"),
        (Glb({"buffers": [{"uri": "x.bin"}]}, b"").to_bytes(), "the head {} is no .glb file of glTF 2.0 (its data"),
    ],
)
@pytest.mark.parametrize("kind", ["glb", "video"])
def test_a_head_that_is_none_is_refused(tmp_path: Path, kind: str, content: bytes | None, message: str) -> None:
    if kind == "video":
        pytest.importorskip("PIL")
    avatar = tmp_path / "odd.glb"
    if content is not None:
        avatar.write_bytes(content)
    path = tmp_path / ("take.glb" if kind == "glb" else "take.mp4")
    (line,) = feed([f"{path}?avatar={avatar}"], ramp(0.1))
    assert message.format(avatar) in line or "video needs ffmpeg" in line
    assert not path.exists()


def test_a_disk_without_room_for_the_take_keeps_its_beginning(tmp_path: Path, head: Path) -> None:
    path = tmp_path / "take.glb"
    program = (
        "from sink_rig import feed, ramp; "
        f"print(*feed(['{path}?avatar={head}'], ramp(100.0)))"  # 3000 frames: 60 kB
    )
    shell = f"ulimit -f 40; cd '{ROOT / 'test' / 'rigs'}' && PYTHONPATH=../.. '{sys.executable}' -c \"$0\""
    run = subprocess.run(["bash", "-c", shell, program], capture_output=True, text=True, check=False, timeout=120)
    assert "File too large; the first 1500 of 3000 frames are there; the rest goes on" in run.stdout, run.stderr
    times, _ = animated_weights(path)
    np.testing.assert_allclose(times, np.arange(1500) / 30, atol=1e-4)


def test_no_frames_no_file(tmp_path: Path, head: Path) -> None:
    assert feed([f"{tmp_path}/take.glb?avatar={head}"], []) == []
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.glb"]
