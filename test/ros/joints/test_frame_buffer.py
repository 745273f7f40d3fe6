"""Frames that wait for their time."""

import pytest

from dtalker_ros.joints.frame_buffer import AHEAD_NS, LOSS_NS, FrameBuffer

MS = 1_000_000


def filled(*frames: tuple[int, float]) -> FrameBuffer:
    """A buffer of rows of one value, which arrived at time 0."""
    buffer = FrameBuffer()
    for stamp_ms, value in frames:
        buffer.push(stamp_ms * MS, 0, [value])
    return buffer


def test_between_frames_it_is_straight_and_level_beyond() -> None:
    buffer = filled((100, 1.0), (120, 2.0))
    assert [buffer.at(0, t * MS) for t in (0, 100, 105, 120, 500)] == pytest.approx([1.0, 1.0, 1.25, 2.0, 2.0])


def test_order_is_that_of_the_stamps_and_the_last_word_counts() -> None:
    buffer = filled((120, 2.0), (100, 7.0), (100, 1.0))
    assert buffer.at(0, 105 * MS) == pytest.approx(1.25)


def test_across_a_loss_it_is_level() -> None:
    buffer = filled((0, 1.0), (LOSS_NS // MS + 1, 2.0))
    assert buffer.at(0, LOSS_NS // 2) == 1.0


def test_nothing_is_neutral_and_not_fresh() -> None:
    assert FrameBuffer().at(0, 0) == 0.0
    assert not FrameBuffer().fresh(0)


def test_frames_are_fresh_while_they_come_or_are_still_to_be_shown() -> None:
    assert filled((60, 1.0)).fresh(60 * MS + LOSS_NS)
    assert not filled((60, 1.0)).fresh(61 * MS + LOSS_NS)
    assert filled((-900, 1.0)).fresh(LOSS_NS), "late ones come"


def test_what_was_shown_is_forgotten_but_for_what_is_needed() -> None:
    buffer = filled(*((k * 20, float(k)) for k in range(100)))
    buffer.forget(1010 * MS)
    assert buffer.at(0, 0) == 50.0 and buffer.at(0, 1010 * MS) == pytest.approx(50.5)


def test_a_clock_that_is_set_back_leaves_nothing_of_the_future() -> None:
    buffer = filled((0, 1.0), (20, 2.0))
    buffer.forget(-AHEAD_NS)
    assert buffer.at(0, 20 * MS) == 1.0
