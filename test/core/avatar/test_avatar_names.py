"""Names of other people's avatars find their ARKit blendshape."""

import re

import pytest

from dtalker_model.avatar.names import arkit_index, arkit_indices, missing
from dtalker_model.blendshapes import ARKIT_NAMES, INDEX


def short_side(name: str, left: str, right: str) -> str:
    return re.sub("Left$", left, re.sub("Right$", right, name))


def snake(name: str) -> str:
    return re.sub("(?=[A-Z])", "_", name).lower()


SPELLINGS = {
    "as it is": lambda name: name,
    "PascalCase": lambda name: name[0].upper() + name[1:],
    "lower case": str.lower,
    "upper case": str.upper,
    "snake_case": snake,
    "SCREAMING": lambda name: snake(name).upper(),
    "_L": lambda name: short_side(name, "_L", "_R"),
    ".l": lambda name: short_side(name, ".l", ".r"),
    "final L": lambda name: short_side(name, "L", "R"),
    "Maya": lambda name: f"blendShape2.{name}",
    "Maya namespace": lambda name: f"head:blendShape1.{name}",
    "underscored": lambda name: f"CC_Base_Head_{name}",
    "prefix and _L": lambda name: f"Face_{short_side(name, '_L', '_R')}",
    "bars": lambda name: f"Root|Head|{name}",
    "spaces": lambda name: snake(name).replace("_", " "),
    "digits": lambda name: f"17_{name}",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_all_52_in_every_spelling(spelling: str) -> None:
    names = [SPELLINGS[spelling](name) for name in ARKIT_NAMES]
    assert arkit_indices(names) == list(range(52))
    assert missing(names) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("L_eyeBlink", "eyeBlinkLeft"),
        ("Right.browDown", "browDownRight"),
        ("mouth_L", "mouthLeft"),
        ("jawR", "jawRight"),
        ("mouthRollLower", "mouthRollLower"),
        ("cheekPuff_L", "cheekPuff"),
        ("browInnerUpRight", "browInnerUp"),
    ],
)
def test_special_names(name: str, expected: str) -> None:
    assert arkit_index(name) == INDEX[expected]


@pytest.mark.parametrize(
    "name", ["", "...", "Basis", "viseme_aa", "jaw", "eyeBlink", "jawOpener", "smile", "Fcl_MTH_A"]
)
def test_other_names_mean_nothing(name: str) -> None:
    assert arkit_index(name) is None


def test_missing_in_arkit_order() -> None:
    assert missing(name for name in ARKIT_NAMES if name not in ("tongueOut", "jawOpen")) == ["jawOpen", "tongueOut"]
