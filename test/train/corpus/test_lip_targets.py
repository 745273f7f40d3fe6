"""What the lips must do at which frame, from phones alone."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from training.corpus.lip_targets import (
    CLOSED,
    OPEN,
    REST,
    ROUND,
    SPREAD,
    TARGETS,
    TEETH,
    UNROUND,
    UNSPREAD,
    lip_targets,
)
from training.corpus.phones import PHONES

ASKED = {
    CLOSED: {"P", "B", "M"},
    TEETH: {"F", "V"},
    ROUND: {"UW", "UH", "OW", "AO", "OY", "W", "ER", "SH", "CH", "JH"},
    UNROUND: {"IY", "IH", "EY", "EH", "AE", "AA"},
    SPREAD: {"IY", "IH", "EY", "EH"},
    UNSPREAD: {"UW", "UH", "OW", "AO", "AA", "AH", "ER", "W"},
    OPEN: {"AA", "AE", "AO", "AY", "AW"},
}


def marked(targets: np.ndarray) -> dict[int, int]:
    """Frame to bits, where anything is asked."""
    return {int(k): int(targets[k]) for k in np.flatnonzero(targets)}


@pytest.mark.parametrize("phone", [p for p in PHONES if p != "SIL"])
def test_each_phone_asks_for_what_its_lips_do(phone: str) -> None:
    bits = sum(bit for bit, phones in ASKED.items() if phone in phones)
    targets = lip_targets([(phone, 0.2, 0.1)], 50)
    assert targets.dtype == np.uint8 and len(targets) == 50
    assert marked(targets) == ({11: bits, 12: bits, 13: bits} if bits else {})  # 0.25 s is the middle, frame 12.5


def test_a_bit_each_and_no_phone_asks_for_opposites() -> None:
    assert sorted([*ASKED, REST]) == [1 << k for k in range(8)]
    for bits in TARGETS.values():
        for one, other in ((ROUND, UNROUND), (SPREAD, UNSPREAD), (CLOSED, OPEN)):
            assert not (bits & one and bits & other)
    assert TARGETS["AO"] == ROUND | UNSPREAD | OPEN


@pytest.mark.parametrize("name", ["AA1", "aa0", "Aa2", "AA"])
def test_stress_and_case_do_not_matter(name: str) -> None:
    np.testing.assert_array_equal(lip_targets([(name, 0.2, 0.1)], 50), lip_targets([("AA", 0.2, 0.1)], 50))


@pytest.mark.parametrize(("name", "known_as"), [("AX", "AH"), ("axr", "ER"), ("IX", "IH"), ("ax0", "AH")])
def test_a_phone_asks_the_same_however_it_is_spelt(name: str, known_as: str) -> None:
    assert lip_targets([(name, 0.2, 0.1)], 50).any()
    np.testing.assert_array_equal(lip_targets([(name, 0.2, 0.1)], 50), lip_targets([(known_as, 0.2, 0.1)], 50))


def test_a_target_lies_in_the_middle_of_its_phone() -> None:
    assert marked(lip_targets([("B", 0.4, 0.24)], 50)) == dict.fromkeys((25, 26, 27), CLOSED)  # 0.52 s


def test_at_twice_the_speed_all_is_said_in_half_the_time() -> None:
    phones = [("SIL", 0.0, 0.6), ("B", 0.6, 0.24), ("AA1", 0.84, 0.4)]
    assert marked(lip_targets(phones, 50, speed=2.0)) == {
        **dict.fromkeys(range(2, 12), REST),  # 0.1 to 0.5 s of the recording; round(2.5) is 2
        **dict.fromkeys((17, 18, 19), CLOSED),  # 0.72 s is played at 0.36 s, frame 18
        **dict.fromkeys((25, 26, 27), TARGETS["AA"]),
    }


@pytest.mark.parametrize("name", ["SIL", "sp", "PAU"])
def test_silence_rests_but_not_next_to_speech(name: str) -> None:
    assert marked(lip_targets([("B", 0.0, 0.2), (name, 0.2, 0.4)], 50)) == {
        **dict.fromkeys((4, 5, 6), CLOSED),
        **dict.fromkeys(range(15, 25), REST),
    }


@pytest.mark.parametrize("start_s", [0.0, 0.5])
@pytest.mark.parametrize("duration_s", [0.02, 0.05, 0.1, 0.2])
def test_a_short_silence_asks_for_nothing(start_s: float, duration_s: float) -> None:
    assert not lip_targets([("SIL", start_s, duration_s), ("T", start_s + duration_s, 0.2)], 50).any()


def test_what_lies_outside_the_clip_is_cut_off() -> None:
    assert marked(lip_targets([("B", 0.0, 0.01)], 50)) == {0: CLOSED, 1: CLOSED}
    assert marked(lip_targets([("B", 0.97, 0.05)], 50)) == {49: CLOSED}
    assert not lip_targets([("B", 2.0, 0.1), ("SIL", 1.0, 3.0)], 50).any()
    assert lip_targets([], 0).shape == (0,)


def test_an_unknown_phone_asks_for_nothing() -> None:
    assert not lip_targets([("spn", 0.2, 0.1), ("?", 0.4, 0.1)], 50).any()
