"""calibrate_latency on real rclpy, with a simulated loop of loudspeaker, jaw and microphone of known delays."""

import sys
import threading
from pathlib import Path

import pytest
import yaml
from loop_of_sound_rig import LoopOfSound
from real_time_rig import in_real_time
from ros_rig import Listener, finish, listener, stamp_ns, start

from dtalker_model.blendshapes import INDEX
from dtalker_model.errors import DtalkerError
from dtalker_ros.nodes.calibrate_latency import CalibrateLatency, times_ns

__all__ = ["listener"]

JAW = INDEX["jawOpen"]
NEAR_MS = 2.0
"""Three clicks, and a loop that is simulated in real time; `test_snaps` holds the millisecond."""


def calibrated(listener: Listener, loop: LoopOfSound, **parameters: object) -> None:
    """Run it in a thread, with a jaw that snaps by the frames that come."""
    from rclpy.parameter import Parameter

    overrides = [Parameter(name, value=value) for name, value in {"repeats": 3, **parameters}.items()]
    node, failed, open_before = CalibrateLatency(context=listener.context, parameter_overrides=overrides), [], [0.0]
    codes: list[int] = []

    def run() -> None:
        try:
            codes.append(node.calibrate(threading.Event()))
        except DtalkerError as error:
            failed.append(error)

    thread, told = threading.Thread(target=run), 0
    thread.start()
    while thread.is_alive():
        listener.executor.spin_once(timeout_sec=0.02)
        for _, message in listener.frames[told:]:
            if message.weights[JAW] < 0.5 <= open_before[0]:
                loop.snap(stamp_ns(message) / 1e9)
            open_before[0] = message.weights[JAW]
        told = len(listener.frames)
    node.destroy_node()
    if failed:
        raise failed[0]
    assert codes == [0]


@pytest.mark.parametrize(("sound_ms", "jaw_ms"), [(150.0, 60.0)])
@in_real_time
def test_the_offset_is_found_and_written(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sound_ms: float, jaw_ms: float
) -> None:
    loop, path = LoopOfSound(sound_ms, jaw_ms), tmp_path / "robot.yaml"
    path.write_text("dtalker:\n  ros__parameters:\n    emotion: happy  # always\n")
    monkeypatch.setitem(sys.modules, "sounddevice", loop.module())
    calibrated(listener, loop, params_file=str(path))
    written = yaml.safe_load(path.read_text())
    offset_ms = written["audio_player"]["ros__parameters"]["sound_offset_ms"]
    print(f"\noffset {offset_ms} ms, truly {jaw_ms - sound_ms} ms")
    assert offset_ms == pytest.approx(jaw_ms - sound_ms, abs=NEAR_MS)
    assert "emotion: happy  # always" in path.read_text()
    talker = written["dtalker"]["ros__parameters"]
    assert talker.get("playout_delay_ms") == (None if offset_ms >= 0 else 120.0 - offset_ms)


def test_it_does_not_fight_with_a_talker(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    from dtalker.msg import Blendshapes

    listener.node.create_publisher(Blendshapes, "blendshapes", 10)
    loop = LoopOfSound(0, 0)
    monkeypatch.setitem(sys.modules, "sounddevice", loop.module())
    with pytest.raises(DtalkerError, match="somebody else publishes blendshapes"):
        calibrated(listener, loop)


def test_a_talker_that_is_discovered_later_ends_it(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter([1, 1, 2])
    monkeypatch.setattr(CalibrateLatency, "count_publishers", lambda self, topic: next(counts))
    loop = LoopOfSound(0, 0)
    monkeypatch.setitem(sys.modules, "sounddevice", loop.module())
    with pytest.raises(DtalkerError, match="somebody else publishes blendshapes"):
        calibrated(listener, loop)


def test_a_file_that_cannot_be_changed_is_told_before_the_first_click(tmp_path: Path) -> None:
    code, output = finish(start("calibrate_latency", params_file=str(tmp_path)))
    assert code == 1 and f"cannot read {tmp_path}" in output and "Traceback" not in output


def test_it_says_what_is_missing() -> None:
    code, output = finish(start("calibrate_latency", device="no such device"))
    assert code == 1 and "Traceback" not in output
    assert any(text in output for text in ("needs PortAudio", "no loudspeaker to open", "needs the Python module"))


def test_times_of_a_camera_are_read(tmp_path: Path) -> None:
    path = tmp_path / "seen.csv"
    path.write_text("time_s,frame\n1.5,3\n2.25,9\n\n")
    assert times_ns(path) == [1.5e9, 2.25e9]
    path.write_text("1.5\nsoon\n")
    with pytest.raises(DtalkerError, match="'soon' is no time in seconds"):
        times_ns(path)
    with pytest.raises(DtalkerError, match="cannot read camera_csv"):
        times_ns(tmp_path / "nothing.csv")
