"""Model files: what is wrong with them is said before any frame."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from shipped_rig import copy

import dtalker_model
from dtalker_model import ModelError
from dtalker_model.card import card_path, listener_path, read_card

__all__ = ["copy"]


def edit(path: Path, change: Callable[[dict], object]) -> None:
    card = json.loads(path.read_text())
    change(card)
    path.write_text(json.dumps(card))


def shorter(card: dict) -> None:
    """Embeddings that are alike in length, which is not the network's."""
    for library in (card["identities"], card["emotions"]):
        library.update({name: vector[:8] for name, vector in library.items()})
    card["unlabelled"] = card["unlabelled"][:8]


def test_the_shipped_card_says_what_users_ask(copy: Path) -> None:
    card = read_card(copy)
    assert card.lookahead_ms == 80
    assert card.blendshapes == dtalker_model.ARKIT_NAMES
    assert {"neutral", "happy", "sad"} <= set(card.emotions)
    assert "non-commercial" in card.licence
    assert {row["source"] for row in card.training_data} >= {"ravdess", "grid", "facegood"}
    assert card.figures and card.commit
    size = sum(p.stat().st_size for p in (copy, card_path(copy), listener_path(copy)))
    assert size <= 5_000_000


def test_a_model_can_be_loaded_by_path(copy: Path) -> None:
    assert dtalker_model.load(copy).card.name == "dtalker"


def test_a_card_without_step_counts_offers_its_own_steps_alone(copy: Path) -> None:
    edit(card_path(copy), lambda card: card.pop("step_counts", None))
    card = read_card(copy)
    assert card.step_counts == (card.steps,)


def test_an_unknown_name_lists_what_is_shipped() -> None:
    with pytest.raises(ModelError, match=r"no model 'dtalkr'.*dtalker"):
        dtalker_model.load("dtalkr")
    with pytest.raises(ModelError, match="no model"):
        dtalker_model.load("/nowhere/model.onnx")


def test_a_truncated_graph_is_refused(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes()[:-1000])
    with pytest.raises(ModelError, match=r"dtalker\.onnx is truncated"):
        dtalker_model.load(copy)


def test_a_truncated_listener_is_refused(copy: Path) -> None:
    listener_path(copy).write_bytes(b"")
    with pytest.raises(ModelError, match=r"dtalker\.listener\.onnx is truncated"):
        dtalker_model.load(copy)


def test_a_missing_part_is_named(copy: Path) -> None:
    listener_path(copy).unlink()
    with pytest.raises(ModelError, match=r"dtalker\.listener\.onnx is missing"):
        dtalker_model.load(copy)
    card_path(copy).unlink()
    with pytest.raises(ModelError, match=r"dtalker\.json is missing"):
        dtalker_model.load(copy)


def test_a_foreign_graph_is_refused(copy: Path) -> None:
    """The listener's graph under the student's name, with a digest that fits."""
    shutil.copyfile(listener_path(copy), copy)
    edit(card_path(copy), lambda card: card.update(sha256=card["listener_sha256"]))
    with pytest.raises(ModelError, match="not a dtalker model"):
        dtalker_model.load(copy)


def test_bytes_that_are_no_graph_are_refused(copy: Path) -> None:
    import hashlib

    copy.write_bytes(b"not a graph")
    edit(card_path(copy), lambda card: card.update(sha256=hashlib.sha256(b"not a graph").hexdigest()))
    with pytest.raises(ModelError, match="cannot be loaded as ONNX"):
        dtalker_model.load(copy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: card.update(format="piper-1"), "has format 'piper-1'"),
        (lambda card: card.pop("licence"), "does not fit this dtalker.*licence"),
        (lambda card: card.update(colour="red"), "does not fit this dtalker.*colour"),
        (lambda card: card.update(sample_rate_hz=22050), r"made for \(22050|made for 22050"),
        (lambda card: card["identities"].pop("default"), "lacks identity 'default'"),
        (lambda card: card.update(steps=3, step_counts=[1, 2]), r"steps 3 are none of \(1, 2\)"),
        (lambda card: card["emotions"].update(happy=[1.0]), "embeddings differ in length"),
        (lambda card: card["identities"].update(default=[]), "embeddings differ in length"),
        (lambda card: card.update(unlabelled=[1.0]), "embeddings differ in length"),
        (lambda card: card["emotions"]["happy"].__setitem__(3, float("nan")), r"no model card \(NaN is no number"),
        (lambda card: card["figures"].update(lve=float("-inf")), r"no model card \(-Infinity is no number"),
        (lambda card: card["emotions"]["happy"].__setitem__(3, 1e39), "no number of single precision"),
        (lambda card: card["emotions"]["happy"].__setitem__(3, 10**39), "no number of single precision"),
        (lambda card: card["emotions"]["happy"].__setitem__(3, "1"), "no number of single precision"),
        (lambda card: card["identities"].update(default=None), "no number of single precision"),
        (lambda card: card.update(identities=[]), "identities is of type tuple, not dict"),
        (lambda card: card.update(name=7), "name is of type int, not str"),
        (lambda card: card.update(steps=True), "steps is of type bool, not int"),
        (lambda card: card.update(steps=2, step_counts=[2, "4"]), r"steps 2 are none of \(2, '4'\)"),
        (
            lambda card: card["listener_identities"].append("zoe"),
            r"dtalker\.listener\.onnx does not run as its card says",
        ),
        (shorter, "expected {'features': 128, 'noise': 52, 'identity': 8, 'emotion': 8, 'articulation': 1}"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(copy: Path, change: Callable[[dict], object], message: str) -> None:
    edit(card_path(copy), change)
    with pytest.raises(ModelError, match=message):
        dtalker_model.load(copy)


@pytest.mark.parametrize("content", ["", "{", "[]", '"dtalker"', "\x00\x01"])
def test_a_card_that_is_no_card_is_refused(copy: Path, content: str) -> None:
    card_path(copy).write_text(content)
    with pytest.raises(ModelError, match=r"dtalker\.json (is no model card|has format)"):
        dtalker_model.load(copy)
