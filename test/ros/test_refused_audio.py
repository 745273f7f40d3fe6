"""What the talker refuses, or fails at, moves nothing that comes after it."""

from typing import Any

import numpy as np
import pytest
from fake_talker import FakeTalker
from timeline_rig import CHUNK, Rig

from dtalker_model.errors import AudioError
from dtalker_model.hearing.audio import LOUDEST_FLOAT
from dtalker_ros.audio.pcm import check_samples
from dtalker_ros.timing.pace import MS


class Fussy(FakeTalker):
    """Refuses chunks that begin with 113; fails at those that begin with 114 when it has heard them already."""

    def push(self, pcm: np.ndarray, sample_rate_hz: int) -> list[Any]:
        if pcm[0, 0] == 113:
            raise AudioError("thirteen is refused")
        frames = super().push(pcm, sample_rate_hz)
        if pcm[0, 0] == 114:
            raise RuntimeError("a bug")
        return frames


@pytest.mark.parametrize(("bad", "expected"), [(113.0, "thirteen is refused"), (114.0, "RuntimeError: a bug")])
def test_frames_after_refused_audio_have_their_own_stamps(bad: float, expected: str) -> None:
    rig = Rig()
    rig.talker = rig.engine.talker = Fussy()
    rig.run_ms(500)
    begin_ns = rig.now_ns
    for i in range(50):
        rig.hear(bad if i in (10, 30) else 1.0 + i)
        rig.run_ms(20)
    rig.run_ms(300)
    for value in (2.0, 30.0, 50.0):
        assert rig.heard_ns(value) - begin_ns == pytest.approx((value - 1) * 20 * MS + 80 * MS, abs=62_500)
    for _, row in rig.rows:
        if 1 < row.weights[0] < 100:
            shown_ns = rig.heard_ns(float(row.weights[0]))
            assert 0 <= row.stamp_ns - shown_ns < CHUNK * 62_500
    refusals = rig.engine.take_refusals()
    assert len(refusals) == 2 and expected in refusals[0]
    assert rig.engine.take_refusals() == []


def test_one_limit_for_float_samples() -> None:
    check_samples(np.full((320, 1), LOUDEST_FLOAT, np.float32))
    with pytest.raises(AudioError, match="divide 16-bit samples by 32768"):
        check_samples(np.full((320, 1), LOUDEST_FLOAT * 1.01, np.float32))
