"""Models of other programs, and cards that are JSON of another shape: one error that says what to do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_rig import refused_here
from shipped_rig import copy

import dtalker_model
from dtalker_model import ModelError
from dtalker_model.card import card_path, listener_path
from dtalker_model.enrolment import Enrolment

__all__ = ["copy"]

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install '.[train]'")

Shapes = dict[str, list[Any]]
STUDENT: Shapes = {
    "features": [None, None, 128],
    "noise": [None, None, 52],
    "identity": [None, None, 64],
    "emotion": [None, None, 64],
    "state_decoder": [None, 2, 3, 128],
}


def put(copy: Path, path: Path, digest: str, inputs: Shapes, outputs: dict[str, str]) -> None:
    """Write a graph that hands inputs through as `outputs` (output to input) to `path`, and let the card know it."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [helper.make_node("Identity", [source], [name]) for name, source in outputs.items()]
    given = [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs.items()]
    made = [helper.make_tensor_value_info(name, kind, inputs[source]) for name, source in outputs.items()]
    model = helper.make_model(helper.make_graph(nodes, "g", given, made), opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    path.write_bytes(model.SerializeToString())
    card = json.loads(card_path(copy).read_text())
    card[digest] = hashlib.sha256(path.read_bytes()).hexdigest()
    card_path(copy).write_text(json.dumps(card))


PASSED = {"weights": "noise", "new_decoder": "state_decoder"}
STUDENTS: dict[str, tuple[Shapes, dict[str, str]]] = {
    "a number for an input": ({**STUDENT, "features": []}, PASSED),
    "no state": ({k: v for k, v in STUDENT.items() if k != "state_decoder"}, {"weights": "noise"}),
    "other state": ({**STUDENT, "state_decoder": [2]}, PASSED),
    "other outputs": (STUDENT, {"weights": "features", "new_decoder": "state_decoder"}),
    "no outputs but state": (STUDENT, {"new_decoder": "state_decoder"}),
}


@pytest.mark.parametrize("case", STUDENTS)
def test_a_graph_that_is_no_student_is_refused(
    copy: Path, demo_wav: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    inputs, outputs = STUDENTS[case]
    put(copy, copy, "sha256", inputs, outputs)
    with pytest.raises(ModelError, match=r"dtalker\.onnx .*install the model again|not a dtalker model"):
        dtalker_model.load(copy)
    said = refused_here(capsys, "render", demo_wav, "--model", copy, "--out", copy.with_suffix(".csv"))
    assert said.startswith("dtalker.onnx ")


def test_a_graph_that_is_no_listener_is_refused_by_those_who_hear(copy: Path) -> None:
    inputs: Shapes = {"features": [None, None, 128], "pace": [None, None, 1]}
    put(copy, listener_path(copy), "listener_sha256", inputs, {"identities": "features", "emotions": "pace"})
    for user in (dtalker_model.load, Enrolment):
        with pytest.raises(ModelError, match=r"dtalker\.listener\.onnx does not run as its card says \("):
            user(copy)


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card.update(identities=[1, 2]),
        lambda card: card.update(identities=None),
        lambda card: card["emotions"].update(neutral="loud"),
        lambda card: card["emotions"].update(neutral=0.5),
        lambda card: card.update(steps="two"),
        lambda card: card.update(step_counts=7),
        lambda card: card.update(sha256=None),
        lambda card: card.update(listener_identities=5),
        lambda card: card.update(blendshapes="jawOpen"),
    ],
)
def test_a_card_of_other_types_is_refused(
    copy: Path, demo_wav: Path, capsys: pytest.CaptureFixture[str], change: Callable[[dict[str, Any]], object]
) -> None:
    card = json.loads(card_path(copy).read_text())
    change(card)
    card_path(copy).write_text(json.dumps(card))
    with pytest.raises(ModelError):
        dtalker_model.load(copy)
    assert refused_here(capsys, "render", demo_wav, "--model", copy, "--out", copy.with_suffix(".csv"))


def test_trying_a_model_leaves_no_trace(demo_wav: Path) -> None:
    """The frames are those of a stream that begins with the audio."""
    talker = dtalker_model.load()
    assert talker.samples == 0
    frames = talker.push(np.zeros(16_000, np.float32), 16_000)
    talker.reset()
    again = talker.push(np.zeros(16_000, np.float32), 16_000)
    np.testing.assert_array_equal([f.weights for f in frames], [f.weights for f in again])
