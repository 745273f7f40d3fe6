"""Windows over long clips: every row comes from one window, and from far enough inside it."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from training.hearing import hubert, whisper
from training.hearing.windows import windows

EARS = {ears.__name__: (ears.WINDOW_FRAMES, ears.CONTEXT_FRAMES) for ears in (hubert, whisper)}


@pytest.mark.parametrize(("length", "context"), [*EARS.values(), (7, 2), (3, 1), (4, 0)])
@pytest.mark.parametrize("beyond", [-1, 0, 1, 250])
@pytest.mark.parametrize("windowfuls", [1, 2, 5])
def test_windows_cover_every_row_once_with_context(length: int, context: int, beyond: int, windowfuls: int) -> None:
    frames, expected = windowfuls * length + beyond, 0
    for start, begin, end in windows(frames, length, context):
        stop = min(start + length, frames)
        assert begin == expected and start <= begin < end <= stop
        assert begin - start >= context or start == 0
        assert stop - end >= context or end == frames
        assert stop - start == min(frames, length)
        expected = end
    assert expected == frames


@pytest.mark.parametrize("frames", [1, 749, 750])
def test_a_clip_that_fits_is_one_window(frames: int) -> None:
    assert list(windows(frames, 750, 100)) == [(0, 0, frames)]


def test_a_clip_of_nothing_has_no_window() -> None:
    assert list(windows(0, 750, 100)) == []


def test_a_window_of_whisper_and_its_silence_fit_the_positions_that_it_knows() -> None:
    assert whisper.WINDOW_FRAMES + whisper.SILENCE_SAMPLES // 320 <= 1500
