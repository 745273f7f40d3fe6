"""A rate that nobody declared is told by the clock and followed; of several publishers one is heard."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fake_talker import FakeTalker
from live_rig import BEGIN_NS, WAY_NS, Live

from dtalker_ros.audio.convert import AudioFormat, chunk_from_message
from dtalker_ros.audio.publishers import Publishers
from dtalker_ros.ear import Ear
from dtalker_ros.timing.pace import MS
from dtalker_ros.timing.timeline import Timeline

GIVEN = {"audio_sample_rate_hz": 0, "audio_channels": 0, "audio_format": ""}
TOLD_S = 2.0
"""From the first message to the line of log."""


class Decimating(FakeTalker):
    """Takes multiples of 16 kHz, too."""

    def push(self, pcm: np.ndarray, sample_rate_hz: int) -> list[Any]:
        step = sample_rate_hz // 16_000
        first = -self._taken % step
        self._taken += len(pcm)
        return super().push(pcm[first::step], 16_000) if len(pcm) > first else []

    _taken = 0


class Listening:
    """A microphone at `rate_hz` whose messages say nothing, an ear, and what it said when."""

    def __init__(self, rate_hz: int, **given: Any) -> None:
        self.rate_hz, self.live, self.publishers = rate_hz, Live(), Publishers()
        self.engine = self.live.rig.engine
        self.live.rig.talker = self.engine.talker = Decimating()
        self.publishers.names = ["/mic"]
        self.ear = Ear(
            self.timeline, {**GIVEN, **given}, self.publishers, chunk_from_message, lambda: self.live.rig.now_ns
        )
        self.said: list[tuple[float, str]] = []

    def timeline(self) -> Timeline:
        return self.engine.timeline

    def hear(self, first: int, at_ns: int, announced: AudioFormat | None = None, sign: int = 1) -> None:
        """A chunk of 20 ms that begins with sample `first` arrives."""
        self.live.run_to(at_ns)
        samples = sign * np.arange(first + 1, first + self.rate_hz // 50 + 1, dtype=np.int32)
        chunk = self.ear.read(SimpleNamespace(data=samples), announced)
        assert chunk is not None
        self.engine.add(chunk, at_ns)
        self.live.step()
        for text in self.ear.faults:
            if text not in [said for _, said in self.said]:
                self.said.append(((at_ns - BEGIN_NS) / 1e9, text))

    def microphone(self, seconds: float, begin_s: float = 0.0, **options: Any) -> None:
        for i in range(round(begin_s * 50), round((begin_s + seconds) * 50)):
            self.hear(i * self.rate_hz // 50, BEGIN_NS + i * 20 * MS, **options)

    def off_ms(self, begin_s: float, end_s: float) -> np.ndarray:
        """How late the face shows the sound, for each speaking frame."""
        delay_ns = round(self.engine.timeline.delay_ms * MS)
        return np.array(
            [
                (row.stamp_ns - BEGIN_NS - delay_ns) / MS - (abs(float(row.weights[0])) - 1) / self.rate_hz * 1000
                for _, row in self.live.rows(begin_s, end_s)
                if row.weights[0]
            ]
        )


def test_48_khz_that_nobody_declared_is_followed() -> None:
    listening = Listening(48_000)
    listening.microphone(6.0)
    (told_s, text), *rest = listening.said
    assert told_s <= TOLD_S and not rest
    assert text.startswith("48000 samples a second come where no rate is declared: reading them as 48000 Hz")
    assert "audio_sample_rate_hz:=48000" in text
    off = listening.off_ms(4.0, 6.0)
    assert len(off) > 95 and np.abs(off).max() <= 40
    assert listening.ear.faults == (text,)  # a warning for as long as nobody declares it
    assert listening.engine.timeline.queued_s < 0.1


@pytest.mark.parametrize("given", [{"audio_sample_rate_hz": 16_000}, {}])
def test_what_is_declared_is_believed(given: dict[str, Any]) -> None:
    listening = Listening(48_000, **given)
    listening.microphone(4.0, announced=None if given else AudioFormat(16_000))
    assert listening.said == []


def test_stereo_that_nobody_declared_is_said_and_not_guessed() -> None:
    listening = Listening(32_000)
    listening.microphone(4.0)
    (told_s, text), *rest = listening.said
    assert told_s <= TOLD_S and not rest
    assert "declare audio_sample_rate_hz, audio_channels or audio_format" in text


def test_a_publisher_at_16_khz_after_one_at_48() -> None:
    listening = Listening(48_000)
    listening.microphone(4.0)
    listening.rate_hz = 16_000
    listening.microphone(6.0, begin_s=4.0)
    assert np.abs(listening.off_ms(8.0, 10.0)).max() <= 40
    assert listening.ear.faults == ()


def test_a_second_publisher_whose_messages_are_not_numbered() -> None:
    """As with CycloneDDS: after two seconds one of them is heard, and the face is with its sound."""
    listening = Listening(16_000)
    listening.microphone(3.0)
    listening.publishers.names = ["/mic", "/player"]
    listening.publishers.wanted(None, 0.0)
    for i in range(150, 400):
        listening.hear(i * 320, BEGIN_NS + i * 20 * MS)
        listening.hear(i * 320, BEGIN_NS + i * 20 * MS + 9 * MS, sign=-1)
    (told_s, text), *rest = listening.said
    assert told_s <= 3.0 + TOLD_S and not rest
    assert text == "several publishers speak on the audio topic (/mic, /player): whoever comes in time is heard"
    late = listening.off_ms(5.0, 8.0)
    assert len(late) > 140 and np.abs(late).max() <= 40
    signs = {np.sign(row.weights[0]) for _, row in listening.live.rows(5.2, 8.0) if row.weights[0]}
    assert len(signs) == 1
    listening.publishers.names = ["/mic"]
    listening.microphone(1.0, begin_s=8.0)
    assert listening.ear.faults == ()


def test_a_second_publisher_whose_messages_are_numbered() -> None:
    listening = Listening(16_000)
    numbers = {1: 100, -1: 1}
    for i in range(300):
        if i == 150:
            listening.publishers.names = ["/mic", "/player"]
        for sign in (1, -1)[: 1 + (i >= 150)]:
            at_ns = BEGIN_NS + i * 20 * MS + (sign < 0) * 9 * MS
            if listening.publishers.wanted(numbers[sign], at_ns / 1e9):
                listening.hear(i * 320, at_ns, sign=sign)
            numbers[sign] += 1
    (told_s, text), *rest = listening.said
    assert told_s <= 3.2 and not rest
    assert text == "several publishers speak on the audio topic (/mic, /player): /mic is heard"
    assert np.abs(listening.off_ms(0.5, 6.0)).max() <= WAY_NS / MS
    assert all(row.weights[0] >= 0 for _, row in listening.live.rows(0.0, 6.0))
