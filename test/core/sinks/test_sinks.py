"""Sinks together: what `--sink` takes, other rates, and that none can hurt another."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sink_rig import feed, info, ramp

from dtalker_model.errors import SettingError, SinkError
from dtalker_model.sinks import KINDS, FanOut, SinkFrame, parse_sink, parse_sinks
from dtalker_model.sinks.protocol import StreamInfo, TimedWeights
from dtalker_model.sinks.resample import Resample


class ListSink:
    """Keeps what it gets; raises at the frame `fails_at` or in the method `fails_in`."""

    path = None
    address: tuple[str, int] | None = None

    def __init__(
        self,
        label: str = "list",
        rate_hz: float | None = None,
        fails_at: int = -1,
        fails_in: str = "",
        error: Exception | None = None,
    ) -> None:
        self.label, self.rate_hz = label, rate_hz
        self._fails_at, self._fails_in, self._error = fails_at, fails_in, error or SinkError("full")
        self.frames: list[TimedWeights] = []
        self.opened = self.closed = 0

    def open(self, stream: StreamInfo) -> None:
        self.opened += 1
        if self._fails_in == "open":
            raise self._error

    def write(self, frame: TimedWeights) -> None:
        if len(self.frames) == self._fails_at:
            raise self._error
        self.frames.append(frame)

    def close(self) -> None:
        self.closed += 1
        if self._fails_in == "close":
            raise self._error


def run(sinks: list[ListSink], needed: bool = True) -> tuple[FanOut, list[str]]:
    reported: list[str] = []
    with FanOut(sinks, info(), reported.append, needed) as fan_out:
        for frame in ramp(0.2):
            fan_out.write([frame])
    return fan_out, reported


@pytest.mark.parametrize(
    ("text", "kind", "rate_hz"),
    [
        ("csv:face.csv", "csv", None),
        ("csv:-", "csv", None),
        ("face.csv", "csv", None),
        ("JSONL:x", "jsonl", None),
        ("a/b.ndjson", "jsonl", None),
        ("livelink:127.0.0.1:11111", "livelink", 60),
        ("livelink:10.0.0.2?rate=30&name=Robot", "livelink", 30),
        ("vmc:localhost", "vmc", 60),
        ("vmc:[::1]:5000", "vmc", 60),
        ("take.mcap", "mcap", None),
        ("mcap:take.bag", "mcap", None),
        ("TAKE.GLB", "glb", 30),
        ("glb:take.glb?rate=24&avatar=my.glb", "glb", 24),
        ("video:take.mp4?size=720", "video", 30),
    ],
)
def test_specs(text: str, kind: str, rate_hz: float | None) -> None:
    sink = parse_sink(text)
    assert type(sink) is KINDS[kind].make
    assert (sink.rate_hz, sink.label) == (rate_hz, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("face.txt", "sink face.txt: unknown kind; known: csv:FILE|-, jsonl:FILE|-, livelink:HOST[:11111] (Unreal)"),
        ("csv:", "sink csv:: says no target: csv:FILE|-"),
        ("csv:x?colour=red", "sink csv:x?colour=red: unknown option 'colour'; known: rate"),
        ("csv:x?rate=0", "sink csv:x?rate=0: rate: 0 is out of range, allowed 1 to 240 Hz"),
        ("csv:x?rate=fast", "sink csv:x?rate=fast: rate: could not convert string to float: 'fast'"),
        ("livelink:h?rate=29.97", "sink livelink:h?rate=29.97: rate: expected a whole number of Hz, received '29.97'"),
        ("x.mp4?size=63", "sink x.mp4?size=63: size: expected an even number of 64 to 2160 pixels, received '63'"),
        ("vmc:host:0", "sink vmc: expected vmc:HOST:PORT with a port of 1 to 65535, received 'host:0'"),
        ("vmc:host:port", "sink vmc: expected vmc:HOST:PORT with a port of 1 to 65535, received 'host:port'"),
        ("livelink::11111", "sink livelink: expected livelink:HOST:PORT with a port of 1 to 65535, received ':11111'"),
    ],
)
def test_specs_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(SettingError) as refusal:
        parse_sinks([text])
    assert str(refusal.value).startswith(message)


def test_the_same_target_twice_is_refused() -> None:
    with pytest.raises(SettingError, match=r"sink csv:face.csv: face.csv goes to the same place"):
        parse_sinks(["face.csv", "csv:face.csv"])


def test_empty_specs_are_passed_over_and_the_slowest_to_close_comes_last() -> None:
    assert [sink.label for sink in parse_sinks(["", "a.mp4", "b.csv", " "])] == ["b.csv", "a.mp4"]


@pytest.mark.parametrize("rate_hz", [1.0, 24.0, 30.0, 50.0, 59.94, 60.0, 240.0])
def test_other_rates_are_linear_in_time(rate_hz: float) -> None:
    resample, frames = Resample(rate_hz, 50.0), ramp(2.0)
    result = [out for frame in frames for out in resample.push(frame)] + list(resample.end())
    assert len(result) == round(2.0 * rate_hz)
    times_s = np.array([frame.time_s for frame in result])
    np.testing.assert_allclose(times_s, np.arange(len(result)) / rate_hz, atol=1e-9)
    expected = np.minimum(times_s, 1.98)[:, None] * np.arange(1, 53) / 120
    np.testing.assert_allclose([frame.weights for frame in result], expected, atol=1e-5)


def test_a_pause_is_not_filled() -> None:
    resample = Resample(60.0, 50.0)
    face = np.zeros(52, np.float32)
    frames = [SinkFrame(time_s, face) for time_s in (0.0, 0.02, 3600.0, 3600.02)]
    result = [out.time_s for frame in frames for out in resample.push(frame)] + [out.time_s for out in resample.end()]
    np.testing.assert_allclose(result, [0, 1 / 60, 2 / 60, 3600, 3600 + 1 / 60, 3600 + 2 / 60], atol=1e-6)


def test_each_sink_gets_its_own_rate() -> None:
    sinks = [ListSink(), ListSink(rate_hz=50.0), ListSink(rate_hz=100.0), ListSink(rate_hz=10.0)]
    run(sinks)
    assert [len(sink.frames) for sink in sinks] == [10, 10, 20, 2]
    assert [(sink.opened, sink.closed) for sink in sinks] == [(1, 1)] * 4


@pytest.mark.parametrize("failing", [{"fails_in": "open"}, {"fails_at": 3}, {"fails_in": "close"}])
@pytest.mark.parametrize("error", [SinkError("full"), OSError("broken"), KeyError("library")])
def test_a_failing_sink_is_closed_and_told_once_and_the_others_go_on(failing: Any, error: Exception) -> None:
    bad, good = ListSink("bad", error=error, **failing), ListSink("good", rate_hz=100.0)
    fan_out, reported = run([bad, good])
    assert len(good.frames) == 20
    assert (bad.closed, good.closed) == (1, 1)
    reason = "full" if isinstance(error, SinkError) else f"{type(error).__name__}: {error}"
    assert reported == [f"sink bad: {reason}; the rest goes on"]
    with pytest.raises(SinkError, match=r"^1 of 2 sinks failed$"):
        fan_out.require_all()


def test_the_last_sink_to_fail_ends_the_stream() -> None:
    with pytest.raises(SinkError, match=r"^sink only: full$"):
        run([ListSink("only", fails_at=3)])
    with pytest.raises(SinkError, match=r"^no sink is left"):
        run([ListSink("a", fails_at=3), ListSink("b", fails_at=5)])
    _, reported = run([ListSink("extra", fails_at=3)], needed=False)
    assert len(reported) == 1


def test_a_reader_that_goes_away_is_no_failure() -> None:
    gone, good = ListSink("gone", fails_at=2, error=BrokenPipeError()), ListSink()
    fan_out, reported = run([gone, good])
    assert (len(good.frames), gone.closed, reported, fan_out.failures) == (10, 1, [], [])
    with pytest.raises(BrokenPipeError):
        run([ListSink(fails_at=2, error=BrokenPipeError())])


def test_an_interruption_closes_every_sink() -> None:
    class Slow(ListSink):
        def close(self) -> None:
            super().close()
            raise KeyboardInterrupt

    sinks = [Slow(), ListSink(), Slow(), ListSink()]
    with pytest.raises(KeyboardInterrupt):
        run(list(sinks))
    assert [sink.closed for sink in sinks] == [1, 1, 1, 1]


def test_frames_that_are_not_later_are_left_out() -> None:
    sink = ListSink()
    with FanOut([sink], info(), print) as fan_out:
        fan_out.write([*ramp(0.1), *ramp(0.1)])
    assert len(sink.frames) == 5


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_frames_that_are_not_finite_show_the_face_before_and_are_told_once(bad: float) -> None:
    sink, frames = ListSink(), ramp(0.2)
    reported: list[str] = []
    for k in (0, 4, 5):
        frames[k].weights[17] = bad
    with FanOut([sink], info(), reported.append) as fan_out:
        fan_out.write(frames)
    weights = np.array([frame.weights for frame in sink.frames])
    assert not weights[0].any()
    np.testing.assert_array_equal(weights[[4, 5]], weights[[3, 3]])
    assert [frame.time_s for frame in sink.frames] == [frame.time_s for frame in frames]
    assert np.isfinite(weights).all() and len(reported) == 1 and "hold NaN" in reported[0]


def test_missing_libraries_say_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for name in ("pythonosc.osc_bundle_builder", "mcap_ros2.writer"):
        monkeypatch.setitem(sys.modules, name, None)
    reported = feed(["vmc:127.0.0.1", str(tmp_path / "x.mcap")], ramp(0.1))
    assert len(reported) == 2
    assert "pip install python-osc" in "".join(reported) and "pip install mcap-ros2-support" in "".join(reported)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_host_is_told() -> None:
    (line,) = feed(["livelink:no.such.host.invalid"], ramp(0.1))
    assert line.startswith("sink livelink:no.such.host.invalid: cannot find the host 'no.such.host.invalid': ")


def test_two_programs_on_one_machine_are_two_places() -> None:
    assert len(parse_sinks(["livelink:127.0.0.1", "vmc:127.0.0.1"])) == 2
    for other in ("livelink:127.0.0.1:11111", "vmc:127.0.0.1:11111"):
        with pytest.raises(SettingError, match="goes to the same place"):
            parse_sinks(["livelink:127.0.0.1", other])
