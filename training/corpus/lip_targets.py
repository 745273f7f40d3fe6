"""What the lips must do at a phone, whoever says it: targets on the frame clock, from phones alone.

| target   | at                                        | the lips                                             |
| -------- | ----------------------------------------- | ---------------------------------------------------- |
| CLOSED   | p b m                                     | meet                                                 |
| TEETH    | f v                                       | the lower lip is at the upper teeth                  |
| ROUND    | uw uh ow ao oy w er sh ch jh              | funnel or pucker                                     |
| UNROUND  | iy ih ey eh ae aa                         | do neither                                           |
| SPREAD   | iy ih ey eh                               | are wide                                             |
| UNSPREAD | uw uh ow ao aa ah er w                    | are not                                              |
| OPEN     | aa ae ao ay aw                            | are apart                                            |
| REST     | silences, 0.1 s from speech               | rest                                                 |

A target holds in the middle three frames of its phone, where neighbours pull least. Which loss follows from a target is
`training.networks.lips`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dtalker_model.rates import FRAME_RATE_HZ
from training.corpus.phones import SPELLINGS

CLOSED, TEETH, ROUND, UNROUND, SPREAD, UNSPREAD, OPEN, REST = (1 << k for k in range(8))
"""Bits of a target: a vowel may be open and round."""

PHONES_OF = {
    CLOSED: "P B M",
    TEETH: "F V",
    ROUND: "UW UH OW AO OY W ER SH CH JH",
    UNROUND: "IY IH EY EH AE AA",
    SPREAD: "IY IH EY EH",
    UNSPREAD: "UW UH OW AO AA AH ER W",
    OPEN: "AA AE AO AY AW",
}
TARGETS = {
    name: sum(bit for bit, names in PHONES_OF.items() if name in names.split())
    for name in " ".join(PHONES_OF.values()).split()
}
"""Phone to its bits."""

SILENCES = ("SIL", "SP", "PAU")
SILENCE_MARGIN_S = 0.1


def lip_targets(phones: Sequence[tuple[str, float, float]], frames: int, speed: float = 1.0) -> np.ndarray:
    """Bits of the targets of each frame, (frames,) uint8; 0 where nothing is asked.

    Args:
        phones: (name, start_s, duration_s), ARPAbet with or without stress, in any of `SPELLINGS`.
        speed: how much faster the audio plays than it was when labelled.
    """
    targets = np.zeros(frames, np.uint8)
    for name, start_s, duration_s in phones:
        bare = name.upper().rstrip("012")
        spelt = SPELLINGS.get(bare, bare)
        if bare in SILENCES:
            begin_s, end_s = start_s + SILENCE_MARGIN_S, start_s + duration_s - SILENCE_MARGIN_S
            begin, end = (round(t / speed * FRAME_RATE_HZ) for t in (begin_s, end_s))
            targets[begin : max(end, 0)] = REST
        elif spelt in TARGETS:
            middle = round((start_s + duration_s / 2) / speed * FRAME_RATE_HZ)
            targets[max(middle - 1, 0) : middle + 2] = TARGETS[spelt]
    return targets
