"""Settings: defaults are valid, bad values and names are refused with a message that says what is allowed."""

import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest

from dtalker_model.errors import SettingError
from dtalker_model.settings import Settings, setting_specs

IDENTITIES = ("default", "ravdess-01")
EMOTIONS = ("neutral", "happy", "sad")
STEPS = (1, 2, 4)


def test_every_setting_is_described_and_its_default_is_in_range() -> None:
    specs = setting_specs()
    assert [spec.name for spec in specs] == [field.name for field in dataclasses.fields(Settings)]
    for spec in specs:
        assert spec.doc.endswith("."), spec.name
        if spec.kind in (int, float):
            assert spec.range is not None
            assert spec.range[0] <= spec.default <= spec.range[1]


def test_replace_changes_only_what_it_is_told() -> None:
    before = Settings(emotion="happy")
    after = before.replace(intensity=1.5, gains={"jawOpen": 2})
    assert (after.emotion, after.intensity, after.gains) == ("happy", 1.5, {"jawOpen": 2.0})
    assert before == Settings(emotion="happy")


def test_a_mapping_is_copied() -> None:
    gains = {"jawOpen": 2.0}
    settings = Settings(gains=gains)
    gains["jawOpen"] = 0.0
    assert settings.gains == {"jawOpen": 2.0}


def test_numpy_numbers_become_plain_ones() -> None:
    settings = Settings(seed=np.int64(7), intensity=np.float32(0.5), blink=np.bool_(False))  # type: ignore[arg-type]
    assert (type(settings.seed), type(settings.intensity), type(settings.blink)) == (int, float, bool)


def test_settings_survive_pickling() -> None:
    settings = Settings(gains={"jawOpen": 2.0})
    assert pickle.loads(pickle.dumps(settings)) == settings


@pytest.mark.parametrize(
    ("name", "low", "high"), [(s.name, *s.range) for s in setting_specs() if s.kind is float and s.range]
)
def test_both_ends_of_a_range_are_allowed_and_nothing_beyond(name: str, low: float, high: float) -> None:
    assert getattr(Settings().replace(**{name: low}), name) == low
    assert getattr(Settings().replace(**{name: high}), name) == high
    for value in (low - 0.01, high + 0.01, float("inf")):
        with pytest.raises(SettingError, match=f"^{name}: .* is out of range, allowed {low:g} to {high:g}"):
            Settings().replace(**{name: value})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"intensity": "strong"}, "intensity: expected a number from 0 to 2, received 'strong'"),
        ({"intensity": float("nan")}, "intensity: expected a number from 0 to 2, received nan"),
        ({"intensity": True}, "intensity: expected a number from 0 to 2, received True"),
        ({"seed": 1.5}, "seed: expected a whole number from 0 to 2147483647, received 1.5"),
        ({"steps": 17}, "steps: 17 is out of range, allowed 0 to 16"),
        ({"steps": 1.5}, "steps: expected a whole number from 0 to 16, received 1.5"),
        ({"seed": -1}, "seed: -1 is out of range, allowed 0 to 2147483647"),
        ({"smoothing_ms": 900}, "smoothing_ms: 900 is out of range, allowed 0 to 500 ms"),
        ({"blink": 1}, "blink: expected true or false, received 1"),
        ({"emotion": ""}, "emotion: expected a name, received ''"),
        ({"gains": [1.0]}, r"gains: expected a mapping of names to numbers, received \[1.0\]"),
        ({"gains": {"jawopen": 1.0}}, "gains: unknown name 'jawopen'; did you mean 'jawOpen'?"),
        ({"offsets": {"jawOpen": 2}}, r"offsets\['jawOpen'\]: 2 is out of range, allowed -1 to 1"),
        ({"emotion_weights": {"happy": 1.5}}, r"emotion_weights\['happy'\]: 1.5 is out of range, allowed 0 to 1"),
        ({"intensty": 1.0}, "setting: unknown name 'intensty'; did you mean 'intensity'?"),
    ],
)
def test_a_refused_value_says_why(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message.replace("?", r"\?")):
        Settings().replace(**changes)


def test_names_are_compared_with_the_card() -> None:
    for settings in (
        Settings(),
        Settings(identity="live", emotion="live"),
        Settings(emotion="mix", emotion_weights={"sad": 1}),
        *(Settings(steps=steps) for steps in (0, *STEPS)),
    ):
        settings.check(IDENTITIES, EMOTIONS, STEPS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"emotion": "hapy"}, r"emotion: unknown name 'hapy'; did you mean 'happy'\?"),
        ({"identity": "xyz"}, "identity: unknown name 'xyz'; known: default, ravdess-01, live"),
        ({"emotion_weights": {"joy": 0.5}}, "emotion_weights: unknown name 'joy'; known: neutral, happy, sad"),
        ({"steps": 3}, "steps: 3 is not what this model offers: 1, 2, 4, or 0 for its own choice"),
    ],
)
def test_what_the_model_does_not_offer_is_refused_with_a_suggestion(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Settings(**changes).check(IDENTITIES, EMOTIONS, STEPS)


@pytest.mark.parametrize("wanted", [{"identity": "live"}, {"emotion": "live"}, {"live_share": 0.5}])
def test_a_model_without_a_listener_cannot_follow_the_voice(wanted: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match="no listener: choose identity and emotion by name"):
        Settings(**wanted).check(["default"], ["neutral"], [2], hears=False)
    Settings(**wanted).check(["default"], ["neutral"], [2])


def test_a_model_that_knows_one_articulation_refuses_another() -> None:
    for articulation in (0.5, 0.99, 2.0):
        with pytest.raises(SettingError, match=f"articulation: this model knows 1 alone, not {articulation:g}"):
            Settings(articulation=articulation).check(["default"], ["neutral"], [2], articulates=False)
        Settings(articulation=articulation).check(["default"], ["neutral"], [2])
    Settings().check(["default"], ["neutral"], [2], articulates=False)
