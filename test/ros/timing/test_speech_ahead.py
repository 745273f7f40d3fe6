"""Speech that is sent ahead of time, as synthesis does, is spoken whole and at its own pace."""

import numpy as np
import pytest
from timeline_rig import CHUNK, FRAME_NS, Rig

from dtalker_ros.timing.pace import MS

PATIENCE_MS = 15_000


def whole(rig: Rig, samples: int) -> None:
    """All `samples` of value 1 and up were spoken, without anything dropped or said."""
    assert np.count_nonzero(rig.talker.heard) == samples
    assert rig.engine.take_losses(rig.now_ns) == []
    rig.assert_grid()


def contiguous(rig: Rig) -> bool:
    heard = np.flatnonzero(rig.talker.heard)
    return bool(heard[-1] - heard[0] == len(heard) - 1)


@pytest.mark.parametrize("stamped", [False, True])
def test_a_sentence_in_one_message(stamped: bool) -> None:
    rig = Rig()
    rig.run_ms(500)
    rig.hear(1.0, 48_000, rig.now_ns if stamped else None)
    rig.run_ms(PATIENCE_MS)
    whole(rig, 48_000)
    assert contiguous(rig)


@pytest.mark.parametrize("stamped", [False, True])
def test_sentences_that_come_while_one_is_spoken(stamped: bool) -> None:
    """The next sentence is made when the one before begins: messages keep pace with the clock, one sentence ahead."""
    rig = Rig()
    rig.run_ms(500)
    for value in (1.0, 2.0, 3.0, 4.0, 5.0):
        rig.hear(value, 24_000, rig.now_ns if stamped else None)
        rig.hear(value, 8_000, rig.now_ns if stamped else None)
        rig.run_ms(2_000 if value > 1 else 200)
    rig.run_ms(PATIENCE_MS)
    whole(rig, 5 * 32_000)
    assert contiguous(rig)


@pytest.mark.parametrize("stamps", ["none", "of the moment", "one after another"])
@pytest.mark.parametrize("chunk", [160, 320, 1600])
def test_a_sentence_in_small_messages_all_at_once(chunk: int, stamps: str) -> None:
    rig = Rig()
    rig.run_ms(500)
    count, begin_ns = 3 * 16_000 // chunk, rig.now_ns
    for i in range(count):
        of_row_ns = begin_ns + i * chunk * 62_500
        rig.hear(1.0 + i, chunk, {"none": None, "of the moment": rig.now_ns}.get(stamps, of_row_ns))
        rig.run_ms(0.2)
    rig.run_ms(PATIENCE_MS)
    whole(rig, count * chunk)
    assert contiguous(rig)


@pytest.mark.parametrize("pause_ms", [300, 1_000, 4_000])
def test_sentence_after_sentence_in_small_messages(pause_ms: int) -> None:
    rig = Rig()
    for sentence in range(4):
        for _ in range(100):
            rig.hear(1.0 + sentence)
        rig.run_ms(pause_ms)
    rig.run_ms(PATIENCE_MS)
    whole(rig, 4 * 100 * CHUNK)


@pytest.mark.parametrize("speed", [1.2, 1.5, 3.0, 10.0])
def test_speech_made_faster_than_it_is_spoken(speed: float) -> None:
    rig = Rig()
    begin_ns = rig.now_ns
    for i in range(400):
        rig.run_to(begin_ns + round(i * FRAME_NS / speed))
        rig.hear(1.0)
    rig.run_ms(PATIENCE_MS)
    whole(rig, 400 * CHUNK)
    assert contiguous(rig)


def test_speech_made_in_fits_and_starts() -> None:
    """Bursts of half a second to a second, at 1.4 times the pace of speech."""
    rig, rng = Rig(), np.random.default_rng(3)
    samples = 0
    for _ in range(20):
        count = int(rng.integers(25, 50))
        for _ in range(count):
            rig.hear(1.0)
        samples += count * CHUNK
        rig.run_ms(count * 20 / 1.4)
    rig.run_ms(PATIENCE_MS)
    whole(rig, samples)


@pytest.mark.parametrize("speed", [1.2, 1.4])
@pytest.mark.parametrize("chunks", [3, 8, 14])
def test_speech_made_in_small_fits(chunks: int, speed: float) -> None:
    """Bursts of up to 0.28 s: pauses that a network may make as well."""
    rig, rng = Rig(), np.random.default_rng(3)
    samples = 0
    for _ in range(400 // chunks):
        count = int(rng.integers(chunks // 2, chunks + 1))
        for _ in range(count):
            rig.hear(1.0)
        samples += count * CHUNK
        rig.run_ms(count * 20 / speed)
    rig.run_ms(PATIENCE_MS)
    whole(rig, samples)


def test_a_sentence_of_3000_messages_is_quickly_queued() -> None:
    rig = Rig()
    for _ in range(3_000):
        rig.hear(1.0)
    rig.run_ms(61_000)
    whole(rig, 3_000 * CHUNK)


def test_an_old_sentence_does_not_make_the_microphone_late() -> None:
    """A sentence, and then a microphone on the same topic while it is still spoken: the microphone wins in the end."""
    rig = Rig()
    rig.hear(1.0, 64_000)
    for _ in range(150):
        rig.run_ms(20)
        rig.hear(2.0)
    assert rig.engine.timeline.queued_s < 0.1


@pytest.mark.parametrize("shift_ms", [200, 3_000])
def test_stamps_may_say_when_a_player_will_be_heard(shift_ms: int) -> None:
    """A player stamps what it hands to its sound card with the time at which it will sound."""
    rig = Rig()
    rig.run_ms(500)
    begin_ns = rig.now_ns
    for i in range(200):
        rig.run_to(begin_ns + i * FRAME_NS)
        rig.hear(1.0, stamp_ns=rig.now_ns + shift_ms * MS)
    rig.run_ms(PATIENCE_MS)
    whole(rig, 200 * CHUNK)
    assert contiguous(rig)
    assert abs(rig.heard_ns(1.0) - begin_ns - (shift_ms + 80) * MS) <= 62_500
