"""Which ARKit blendshape a morph target of any avatar means, whatever its author called it.

Understood are upper and lower case, PascalCase, words apart (`eye_blink_left`), `_L`/`_R`/`.L`/`-r` and a plain final
`L`/`R` for the side, a side in front (`L_eyeBlink`), and prefixes with dots, colons, slashes, bars or underscores
(`blendShape2.eyeBlinkLeft`, `Face|jawOpen`, `CC_Base_JawOpen`). The halves of a blendshape that ARKit does not split
(`cheekPuff_L`, `browInnerUpRight`) both mean the whole one.
"""

import re
from collections.abc import Iterable

from dtalker_model.blendshapes import ARKIT_NAMES, INDEX

SEPARATORS = re.compile(r"[^0-9A-Za-z]+")
SIDES = {"l": "left", "r": "right", "left": "left", "right": "right"}
MOST_WORDS = 8
"""That a blendshape's name may be split into; what stands before is a prefix."""
HALVED = ("browInnerUp", "cheekPuff")


def _spellings() -> dict[str, int]:
    """Lower-case spelling without separators -> ARKit index."""
    result = {name.lower(): i for i, name in enumerate(ARKIT_NAMES)}
    for name in ARKIT_NAMES:
        for short, side in (("l", "left"), ("r", "right")):
            if name.lower().endswith(side):
                result[name.lower()[: -len(side)] + short] = INDEX[name]
    for name in HALVED:
        result |= {name.lower() + side: INDEX[name] for side in SIDES}
    return result


SPELLINGS = _spellings()


def _side_last(words: list[str]) -> list[str]:
    """The words with a side in front put behind them."""
    return [*words[1:], words[0]] if len(words) > 1 and words[0] in SIDES else words


def arkit_index(name: str) -> int | None:
    """Index 0..51 of the ARKit blendshape that the morph target `name` means; None where it means none."""
    words = [word.lower() for word in SEPARATORS.split(name) if word][-MOST_WORDS:]
    for start in range(len(words)):
        for spelled in ("".join(words[start:]), "".join(_side_last(words[start:]))):
            if spelled in SPELLINGS:
                return SPELLINGS[spelled]
    return None


def arkit_indices(names: Iterable[str]) -> list[int | None]:
    """`arkit_index` of each name."""
    return [arkit_index(name) for name in names]


def missing(names: Iterable[str]) -> list[str]:
    """The ARKit blendshapes that none of an avatar's morph targets means, in ARKit order."""
    found = set(arkit_indices(names))
    return [name for i, name in enumerate(ARKIT_NAMES) if i not in found]
