"""Head and eyes of a stream: the same whatever the chunks, new for each seed, still where they are to be."""

from dataclasses import replace

import numpy as np
import pytest

from dtalker_model.gesture.gesture import EASE_FRAMES, Gesture, Moves, poses
from dtalker_model.gesture.head_model import HeadModel, by_hand, from_dict, to_dict
from dtalker_model.gesture.sway import Sway
from dtalker_model.output.pose import LOOK, POSE_LIMITS, eyes_shown, look_weights
from dtalker_model.settings import Settings

FRAMES = 1500
MODEL = by_hand()
LIVELY = Settings()


def sound(frames: int = FRAMES) -> tuple[np.ndarray, np.ndarray]:
    """Levels and speech gate: two seconds of a voice that swells, two of silence, again and again."""
    speaking = (np.arange(frames) // 100 % 2 == 0).astype(np.float32)
    level_db = np.where(speaking > 0, -30 + 10 * np.sin(np.arange(frames) / 9), -80).astype(np.float32)
    return level_db, speaking


def moved(settings: Settings = LIVELY, cuts: tuple[int, ...] = (), model: HeadModel = MODEL) -> Moves:
    """What a fresh head does, fed in the pieces that `cuts` make."""
    gesture = Gesture(model, settings)
    pieces = zip(*(np.split(part, cuts) for part in sound()))
    parts = [gesture.apply(level_db, speaking, settings) for level_db, speaking in pieces if len(level_db)]
    return Moves(np.concatenate([p.turns for p in parts]), None)


@pytest.mark.parametrize("cuts", [tuple(range(1, FRAMES)), (1, 3, 700, 701, 1499), tuple(range(0, FRAMES, 37))])
def test_any_chunks_give_the_same_movement(cuts: tuple[int, ...]) -> None:
    whole, cut = moved(), moved(cuts=cuts)
    np.testing.assert_array_equal(cut.turns, whole.turns)


def test_later_sound_changes_nothing_earlier() -> None:
    level_db, speaking = sound()
    gesture = Gesture(MODEL, Settings())
    level_db[700:], speaking[700:] = -80, 0
    deaf = gesture.apply(level_db, speaking, LIVELY)
    np.testing.assert_array_equal(deaf.head[:700], moved().head[:700])
    assert np.abs(deaf.head[800:] - moved().head[800:]).max() > 0.01


def test_a_reset_head_does_the_same_again_and_another_seed_does_something_else() -> None:
    gesture, (level_db, speaking) = Gesture(MODEL, Settings()), sound()
    first = gesture.apply(level_db, speaking, Settings())
    gesture.reset(Settings())
    again = gesture.apply(level_db, speaking, Settings())
    np.testing.assert_array_equal(first.head, again.head)
    np.testing.assert_array_equal(first.eyes, again.eyes)
    assert np.corrcoef(first.head[:, 0], moved(Settings(seed=1)).head[:, 0])[0, 1] < 0.8


def test_stillness_scales_the_movement_and_one_is_still() -> None:
    lively, half, still = (moved(Settings(stillness=share)) for share in (0.0, 0.5, 1.0))
    np.testing.assert_allclose(half.head, lively.head / 2, atol=1e-7)
    assert not still.head.any() and not still.eyes.any()


def test_a_head_comes_to_rest_gently_when_stillness_is_set() -> None:
    gesture, (level_db, speaking) = Gesture(MODEL, Settings()), sound()
    before = gesture.apply(level_db[:500], speaking[:500], Settings()).head
    after = gesture.apply(level_db[500:], speaking[500:], Settings(stillness=1.0)).head
    steps = np.abs(np.diff(np.concatenate([before, after]), axis=0))
    assert not after[EASE_FRAMES:].any() and after[EASE_FRAMES // 2].any()
    assert steps[499 : 500 + EASE_FRAMES].max() < 3 * steps[:499].max()


def test_without_idle_the_head_is_still_in_silence_alone() -> None:
    gesture = Gesture(MODEL, Settings(idle=False))
    silence = np.full(FRAMES, -80, np.float32), np.zeros(FRAMES, np.float32)
    assert not gesture.apply(*silence, Settings(idle=False)).head.any()
    assert Gesture(MODEL, Settings()).apply(*silence, Settings()).head.std() > 0.005
    assert moved(Settings(idle=False)).head.std() > 0.005


def swayed(model: HeadModel, level_db: np.ndarray, speaking: np.ndarray) -> np.ndarray:
    """Turns (T, 3) of a fresh head."""
    sway, random = Sway(model), np.random.default_rng(0)

    def draw(count: int) -> np.ndarray:
        return random.standard_normal((count, 3), np.float32)

    return np.array([sway.step(draw, *now, True) for now in zip(level_db.tolist(), speaking.tolist())])


def test_loud_speech_lifts_the_head() -> None:
    quiet = replace(MODEL, noise=np.zeros((1, 3, 3), np.float32))
    turns = swayed(quiet, np.r_[np.full(100, -80.0), np.full(100, -25.0)], np.r_[np.zeros(100), np.ones(100)])
    assert not turns[:100].any() and not turns[:, [0, 2]].any()
    assert -0.06 < turns[-1, 1] < -0.03
    assert np.abs(np.diff(turns[:, 1])).max() < 0.01


def test_the_noise_has_the_deviation_of_its_filter() -> None:
    model = replace(MODEL, response=np.zeros((2, 2), np.float32))
    turns = swayed(model, np.zeros(20_000), np.ones(20_000))
    np.testing.assert_allclose(turns[500:].std(axis=0), np.sqrt(np.square(model.noise).sum(axis=(0, 1))), rtol=0.15)


def test_the_eyes_stay_on_what_they_look_at_while_the_head_turns() -> None:
    model = replace(MODEL, near_rad=(0.0, 0.0), far_rad=(0.0, 0.0), steady=(1.0, 1.0))
    moves = moved(model=model)
    np.testing.assert_allclose(moves.eyes, -moves.head[:, :2], atol=1e-7)


def test_looks_past_the_person_in_front_come_while_somebody_speaks() -> None:
    model = replace(MODEL, near_rad=(0.0, 0.0), steady=(0.0, 0.0))
    eyes = moved(model=model).eyes
    _, speaking = sound()
    past = np.hypot(*eyes.T) > 0.02
    assert 0.02 < past[speaking > 0].mean() < 0.6
    assert past[speaking == 0].mean() < 0.05


def test_no_pose_goes_beyond_its_limits() -> None:
    loud = replace(MODEL, noise=MODEL.noise * 100)
    shown = poses(moved(model=loud), np.ones((FRAMES, 52), np.float32))
    assert (np.abs(shown) <= POSE_LIMITS).all() and np.abs(shown[:, 0]).max() == POSE_LIMITS[0]


def test_eyes_and_their_weights_say_the_same() -> None:
    eyes = np.random.default_rng(0).uniform(-0.4, 0.4, (50, 2)).astype(np.float32)
    weights = look_weights(eyes)
    np.testing.assert_allclose(eyes_shown(weights), eyes, atol=1e-6)
    assert (weights >= 0).all() and not np.delete(weights, LOOK, axis=1).any()


def test_a_head_model_survives_its_file() -> None:
    again = from_dict(to_dict(MODEL))
    np.testing.assert_allclose(again.noise, MODEL.noise, atol=1e-7)
    assert (again.calm, again.far_rad, again.card["licence"]) == (MODEL.calm, MODEL.far_rad, MODEL.card["licence"])


@pytest.mark.parametrize(
    ("name", "value"), [("noise", [[1.0]]), ("response", [[float("nan")] * 2] * 2), ("aversion", 2), ("contact_s", 0)]
)
def test_a_head_model_that_is_none_is_refused(name: str, value: object) -> None:
    content = to_dict(MODEL)
    content["motion"][name] = value
    with pytest.raises(ValueError, match=r"noise|response|looks"):
        from_dict(content)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("calm", np.nan),
        ("calm", 1e300),
        ("calm", -1.0),
        ("contact_s", np.inf),
        ("averted_s", np.nan),
        ("near_rad", (np.nan, 0.1)),
        ("far_rad", (0.1, np.inf)),
        ("steady", (-1.0, 0.0)),
        ("noise", np.full_like(MODEL.noise, 1e38)),
    ],
)
def test_a_head_that_would_move_to_no_finite_pose_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"expected|looks must last"):
        replace(MODEL, **{name: value})  # type: ignore[arg-type]
