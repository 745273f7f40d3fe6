"""What arrives on the topic becomes what is heard: read at the rate that it has, and one publisher at a time."""

from collections.abc import Callable, Mapping
from typing import Any

from dtalker_ros.audio.assumed_rate import find_rate, says_its_rate
from dtalker_ros.audio.convert import AudioChunk, AudioFormat
from dtalker_ros.audio.publishers import Publishers
from dtalker_ros.parameters.parameters import declared_format
from dtalker_ros.timing.timeline import Timeline

CROWD = 0.15
"""A speed within this share of the number of publishers is all of them speaking at once."""
OVER_NS = 10_000_000_000
"""Other publishers and lost messages are a fault until so long after the last of them."""


class Ear:
    """Reads messages for a timeline, and watches what the clock says about them."""

    def __init__(
        self,
        timeline: Callable[[], Timeline],
        given: Mapping[str, Any],
        publishers: Publishers,
        read: Callable[[Any, AudioFormat], AudioChunk | None],
        clock_ns: Callable[[], int],
        real_time: bool = True,
    ) -> None:
        """`timeline`: the one that the audio goes to; `given`: the parameters that declare a format; `real_time`: the
        clock is that of the world, and the speed of audio by it says something.
        """
        self.faults: tuple[str, ...] = ()
        """What is wrong now with how the audio comes, in sentences that say what to do."""
        self._timeline, self._given, self._publishers = timeline, given, publishers
        self._read, self._clock_ns, self._real_time = read, clock_ns, real_time
        self._rate_hz = AudioFormat().sample_rate_hz
        self._rate_fault = ""
        self._others, self._lost = _Growing(), _Growing()

    def read(self, message: Any, announced: AudioFormat | None) -> AudioChunk | None:
        """The audio of `message`, where AudioInfo says `announced`; raises as `chunk_from_message`."""
        undeclared = not self._given["audio_sample_rate_hz"] and announced is None and not says_its_rate(message)
        assumed = AudioFormat(sample_rate_hz=self._rate_hz) if undeclared else announced
        chunk = self._read(message, declared_format(self._given, assumed))
        if chunk is not None:
            self._watch(self._timeline(), undeclared and chunk.sample_rate_hz == self._rate_hz)
        return chunk

    def _watch(self, timeline: Timeline, undeclared: bool) -> None:
        several = len(self._publishers.names)
        crowd = several > 1 and not self._publishers.numbered and self._real_time
        if crowd:
            self._take_turns(timeline, several)
        elif timeline.turns.taken:
            timeline.turns.taken = False
            timeline.rate_watch.begin()
        elif undeclared and self._real_time:
            self._judge_rate(timeline)
        else:
            self._rate_fault = ""
        faults = (self._rate_fault, self._crowd_fault(timeline.turns.taken), self._loss_fault())
        self.faults = tuple(filter(None, faults))

    def _take_turns(self, timeline: Timeline, several: int) -> None:
        speed = timeline.rate_watch.speed
        if not timeline.turns.taken and speed is not None and abs(speed / several - 1) <= CROWD:
            timeline.turns.taken = True
            timeline.hear_anew(self._clock_ns())

    def _judge_rate(self, timeline: Timeline) -> None:
        speed = timeline.rate_watch.speed
        if speed is None:
            return
        finding = find_rate(speed, self._rate_hz)
        if finding is None:
            if self._rate_hz == AudioFormat().sample_rate_hz:
                self._rate_fault = ""
            return
        if finding.rate_hz is not None or not self._rate_fault:
            self._rate_fault = finding.text
        if finding.rate_hz is not None:
            self._rate_hz = finding.rate_hz
            timeline.hear_anew(self._clock_ns())

    def _crowd_fault(self, turns: bool) -> str:
        publishers = self._publishers
        if not self._others.lately(publishers.others, self._clock_ns()) and not turns:
            return ""
        heard = publishers.heard or ("whoever comes in time" if turns else "one of them")
        return f"several publishers speak on the audio topic ({', '.join(publishers.names)}): {heard} is heard"

    def _loss_fault(self) -> str:
        if not self._lost.lately(self._publishers.lost, self._clock_ns()):
            return ""
        return "messages of the audio are lost on the way: let the publisher be reliable, and its depth hold a sentence"


class _Growing:
    """Whether a count has grown lately."""

    def __init__(self) -> None:
        self._count, self._grown_ns = 0, 0

    def lately(self, count: int, now_ns: int) -> bool:
        """Whether `count` has grown in the last `OVER_NS`."""
        if count != self._count:
            self._count, self._grown_ns = count, now_ns
        return count > 0 and 0 <= now_ns - self._grown_ns < OVER_NS
