"""The head with the take baked on, read back by pygltflib and trimesh."""

import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkout import ROOT
from sink_rig import HEAD_SLOPES, TINY_INDICES, TINY_TARGETS, feed, ramp, tiny_head

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
    width = {"SCALAR": 1, "VEC4": 4}[accessor.type]
    assert accessor.componentType == 5126
    assert view.byteOffset % 4 == 0
    assert view.byteLength == 4 * width * accessor.count
    return np.frombuffer(gltf.binary_blob(), "<f4", width * accessor.count, view.byteOffset)


def animated_weights(path: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Times, and weights (T, targets) of each animated mesh by its name, as pygltflib reads them."""
    pygltflib = pytest.importorskip("pygltflib")
    gltf = pygltflib.GLTF2().load_binary(str(path))
    (animation,) = gltf.animations
    times, meshes = np.zeros(0), {}
    for channel in animation.channels:
        if channel.target.path == "rotation":
            continue
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


def turns_of(path: Path) -> tuple[Any, np.ndarray]:
    """The node that turns, as pygltflib reads it, and its rotations (T, 4)."""
    pygltflib = pytest.importorskip("pygltflib")
    gltf = pygltflib.GLTF2().load_binary(str(path))
    (channel,) = (c for c in gltf.animations[-1].channels if c.target.path == "rotation")
    return gltf.nodes[channel.target.node], floats(gltf, gltf.animations[-1].samplers[channel.sampler].output)


def test_our_own_head_turns_about_its_neck(tmp_path: Path) -> None:
    transform = pytest.importorskip("scipy.spatial.transform")
    path = tmp_path / "take.glb"
    assert feed([f"{path}?rate=50"], ramp(SECONDS)) == []
    node, turns = turns_of(path)
    expected = transform.Rotation.from_euler("YXZ", np.outer(np.arange(100) / 50, HEAD_SLOPES[:3])).as_quat()
    np.testing.assert_allclose(turns.reshape(-1, 4), expected, atol=1e-6)
    assert 0.05 < node.translation[1] < 0.1 and len(node.children) == 1  # of 0.24 m


def test_a_bone_called_head_turns_in_the_axes_of_what_it_hangs_on(tmp_path: Path, head: Path) -> None:
    transform = pytest.importorskip("scipy.spatial.transform")
    glb = Glb.read(head)
    rest, above = (transform.Rotation.from_euler("xyz", angles) for angles in ([0.3, -0.2, 0.1], [1.2, 0.4, -0.5]))
    nodes = glb.json["nodes"]
    nodes += [{"name": "neck", "rotation": above.as_quat().tolist(), "children": [len(nodes) + 1]}]
    nodes += [{"name": "mixamorig:Head", "rotation": rest.as_quat().tolist()}]
    glb.json["skins"] = [{"joints": [len(nodes) - 2, len(nodes) - 1]}]
    head.write_bytes(glb.to_bytes())
    path = tmp_path / "take.glb"
    assert feed([f"{path}?avatar={head}&rate=50"], ramp(SECONDS)) == []
    node, turns = turns_of(path)
    assert node.name == "mixamorig:Head"
    wanted = transform.Rotation.from_euler("YXZ", np.outer(np.arange(100) / 50, HEAD_SLOPES[:3]))
    world = above * transform.Rotation.from_quat(turns.reshape(-1, 4))
    np.testing.assert_allclose((wanted * above * rest).as_matrix(), world.as_matrix(), atol=1e-5)


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
        f"print(*feed(['{path}?avatar={head}'], ramp(100.0)))"  # 3000 frames: 108 kB
    )
    shell = f"ulimit -f 60; cd '{ROOT / 'test' / 'rigs'}' && PYTHONPATH=../.. '{sys.executable}' -c \"$0\""
    run = subprocess.run(["bash", "-c", shell, program], capture_output=True, text=True, check=False, timeout=120)
    assert "File too large; the first 1500 of 3000 frames are there; the rest goes on" in run.stdout, run.stderr
    times, _ = animated_weights(path)
    np.testing.assert_allclose(times, np.arange(1500) / 30, atol=1e-4)


def test_no_frames_no_file(tmp_path: Path, head: Path) -> None:
    assert feed([f"{tmp_path}/take.glb?avatar={head}"], []) == []
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.glb"]
