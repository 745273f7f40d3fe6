"""The head of a `Talker`: of the shipped models, streamed, with bad sound, and beside the weights."""

from pathlib import Path

import numpy as np
import pytest
from shipped_rig import copy

import dtalker_model
from dtalker_model.errors import AudioError, ModelError
from dtalker_model.gesture.head_model import head_path, read_head_model
from dtalker_model.output.pose import LOOK, POSE_LIMITS
from dtalker_model.rates import SAMPLE_RATE_HZ

__all__ = ["copy"]


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """Four seconds that swell and pause like speech."""
    time_s = np.arange(4 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    voice = sum(np.sin(2 * np.pi * 140 * k * time_s) / k for k in range(1, 12))
    return (0.1 * voice * (np.sin(2 * np.pi * 1.1 * time_s) > -0.3)).astype(np.float32)


def heads(talker: dtalker_model.Talker, pcm: np.ndarray, chunk: int) -> tuple[np.ndarray, np.ndarray]:
    """Heads (T, 5) and weights (T, 52) of a fresh stream."""
    talker.reset()
    frames = [f for k in range(0, len(pcm), chunk) for f in talker.push(pcm[k : k + chunk], SAMPLE_RATE_HZ)]
    frames += talker.flush()
    return np.array([f.head for f in frames]), np.array([f.weights for f in frames])


@pytest.mark.parametrize("model", ["dtalker", "dtalker-open"])
def test_a_talker_moves_its_head_the_same_live_and_offline(model: str, speech: np.ndarray) -> None:
    talker = dtalker_model.load(model)
    whole, live = heads(talker, speech, len(speech))[0], heads(talker, speech, 417)[0]
    assert whole.shape == (200, 5) and whole.dtype == np.float32
    np.testing.assert_allclose(live, whole, atol=1e-5)
    assert (whole[50:, :3].std(axis=0) > 0.003).all()
    assert (np.abs(whole) <= POSE_LIMITS).all()


def test_a_still_talker_looks_straight_ahead_and_speaks_as_ever(speech: np.ndarray) -> None:
    (_, lively), (head, still) = (heads(dtalker_model.load(stillness=s), speech, len(speech)) for s in (0.0, 1.0))
    assert not head.any()
    np.testing.assert_array_equal(np.delete(lively, LOOK, axis=1), np.delete(still, LOOK, axis=1))


def test_bad_sound_moves_no_head_out_of_its_way(speech: np.ndarray) -> None:
    talker = dtalker_model.load()
    for bad in (np.full(9000, np.nan, np.float32), np.full(9000, 1e30, np.float32), np.zeros((9000, 2, 2), np.int16)):
        try:
            frames = talker.push(bad, SAMPLE_RATE_HZ)
        except AudioError:
            frames = []
        assert all(np.isfinite(f.head).all() for f in frames)
    frames = talker.push(speech, SAMPLE_RATE_HZ)
    assert all(np.isfinite(f.head).all() and (np.abs(f.head) <= POSE_LIMITS).all() for f in frames)


def test_the_shipped_head_says_what_it_came_from() -> None:
    model = read_head_model(dtalker_model.card.model_path("dtalker"))
    assert model.card["licence"] == "CC BY-NC-SA 4.0"
    assert not {"ravdess_09", "ravdess_10"} & set(model.card["training_data"]["people"])
    apart = model.card["figures"]["difference"]["all actors"]
    assert max(apart["spectrum_db"].values()) < 3 and all(0.7 < r < 1.3 for r in apart["range"].values())
    assert read_head_model(dtalker_model.card.model_path("dtalker-open")).card["name"] == "by hand"


def test_a_damaged_head_is_told(copy: Path) -> None:
    head_path(copy).write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match=r"dtalker\.head\.json does not say how a head moves"):
        dtalker_model.load(copy)


@pytest.mark.parametrize("content", ["[]", "null", 100_000 * "[", '{"format": 1}'])
def test_a_file_that_is_no_head_is_a_model_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "dtalker.onnx"
    head_path(path).write_text(content)
    with pytest.raises(ModelError, match=r"dtalker\.head\.json does not say how a head moves"):
        read_head_model(path)
