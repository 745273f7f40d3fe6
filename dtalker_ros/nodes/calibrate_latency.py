"""Plays clicks while the jaw snaps, hears both, and writes how much later than the sound the face is into a file."""

import csv
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from dtalker.msg import Blendshapes
from rclpy.node import Node

from dtalker_model.blendshapes import INDEX
from dtalker_model.errors import DtalkerError, SettingError
from dtalker_ros.nodes.process import SPIN_S, run_node
from dtalker_ros.outputs import OUTPUT_QOS, header
from dtalker_ros.parameters.node_parameters import NodeParameters
from dtalker_ros.parameters.parameters import ParameterSpec
from dtalker_ros.parameters.set_in_file import with_parameter
from dtalker_ros.playback.player import Player
from dtalker_ros.playback.recorder import Recorder
from dtalker_ros.playback.snaps import Schedule, agreed_ms, click_delays_ms, seen_delays_ms, snap_delays_ms
from dtalker_ros.playback.sound_card import CardWish, SoundCard
from dtalker_ros.timing.pace import MS

LEAD_NS = 40 * MS
"""Frames are sent so long before they are to be shown, as the talker does."""
FRAME_NS = 20 * MS
SETTLE_NS = 2_400 * MS
"""The card's clock is measured for so long before the first click; half of it is a number of frames."""
SAFE_DELAY_MS = 120.0
"""A talker's `playout_delay_ms` that leaves a card enough time."""
CAMERA_S = 60.0
"""So long the camera's file is waited for."""
PARAMETERS = (
    ParameterSpec("params_file", "", "ROS parameters file to write the result into; empty: it is said only."),
    ParameterSpec("device", "", "Part of the output device's name, or its number; empty: the default."),
    ParameterSpec("microphone", "", "Part of the input device's name, or its number; empty: the default."),
    ParameterSpec("camera_csv", "", "CSV whose first column tells when a camera saw the jaw shut; empty: it is heard."),
    ParameterSpec("repeats", 10, "Clicks and snaps.", (3, 12)),
    ParameterSpec("player", "audio_player", "Name of the player node, in the file."),
    ParameterSpec("talker", "dtalker", "Name of the talker node, in the file."),
)


class CalibrateLatency(Node):
    """Node `calibrate_latency`; raises `DtalkerError` where a device is missing or somebody else moves the face."""

    def __init__(self, **options: Any) -> None:
        super().__init__("calibrate_latency", **options)
        parameters = NodeParameters(self, lambda values: None)
        parameters.declare(PARAMETERS)
        parameters.say_unknown()
        self._values = parameters.values()
        self._publisher = self.create_publisher(Blendshapes, "blendshapes", OUTPUT_QOS)

    def calibrate(self, stop: threading.Event) -> int:
        """Play, hear, tell and write; the exit code, 0 too where `stop` came first."""
        self._check_alone()
        if self._values["params_file"]:
            self._changed(Path(self._values["params_file"]), 0.0)  # told before minutes of clicks
        schedule = self._perform(stop)
        if schedule is None:
            return 0
        sound_ms = self._sound_ms(schedule)
        offset_ms = round(self._jaw_ms(schedule, stop) - sound_ms, 1)
        first, second = ("face", "sound") if offset_ms >= 0 else ("sound", "face")
        self.get_logger().info(f"the {first} is {abs(offset_ms):g} ms behind the {second}")
        if self._values["params_file"]:
            self._write(Path(self._values["params_file"]), offset_ms)
        return 0

    def _check_alone(self) -> None:
        if self.count_publishers("blendshapes") > 1:
            raise DtalkerError("somebody else publishes blendshapes: end or deactivate the talker meanwhile")

    def _perform(self, stop: threading.Event) -> Schedule | None:
        """Let it click and snap; None where `stop` came first."""
        wish = CardWish(self._values["device"])
        card = SoundCard(wish, self._now_ns, self.get_logger().warning)
        player, recorder = Player(card.rate_hz, card.channels), Recorder(self._values["microphone"], self._now_ns)
        schedule = Schedule(self._now_ns() + SETTLE_NS, self._values["repeats"])
        player.put(schedule.sound(card.rate_hz), card.rate_hz, schedule.begin_ns)
        recorder.start()
        card.start(player.render)
        try:
            self._snap(schedule, stop)
        finally:
            card.close()
            self._recording = recorder.stop()
        return None if stop.is_set() else schedule

    def _snap(self, schedule: Schedule, stop: threading.Event) -> None:
        """Publish frames, each when it is due, until all is over."""
        number, first_ns = 0, schedule.begin_ns - SETTLE_NS // 2
        while not stop.is_set() and (stamp_ns := first_ns + number * FRAME_NS) < schedule.end_ns:
            wait_s = (stamp_ns - LEAD_NS - self._now_ns()) / 1e9
            if wait_s > 0:
                time.sleep(min(wait_s, SPIN_S))
                continue
            self._check_alone()  # a moment after the start nobody has been discovered yet
            weights = np.zeros(52, np.float32)
            weights[INDEX["jawOpen"]] = schedule.jaw(stamp_ns)
            message = Blendshapes(sequence=number, weights=weights)
            message.header = header(stamp_ns, "face")
            self._publisher.publish(message)
            number += 1

    def _sound_ms(self, schedule: Schedule) -> float:
        return agreed_ms(click_delays_ms(self._recording, schedule.clicks_ns), schedule.count, "clicks")

    def _jaw_ms(self, schedule: Schedule, stop: threading.Event) -> float:
        if self._values["camera_csv"]:
            delays_ms = seen_delays_ms(self._seen_ns(schedule.snaps_ns[-1], stop), schedule.snaps_ns)
        else:
            delays_ms = snap_delays_ms(self._recording, schedule.snaps_ns)
        return agreed_ms(delays_ms, schedule.count, "snaps")

    def _seen_ns(self, last_ns: int, stop: threading.Event) -> list[float]:
        """What the camera saw, as soon as it tells of the last snap, or in `CAMERA_S` at most."""
        path, end_s = Path(self._values["camera_csv"]), time.monotonic() + CAMERA_S
        while not (path.exists() and max(times_ns(path), default=0.0) >= last_ns):
            if time.monotonic() > end_s or stop.wait(SPIN_S):
                break
        return times_ns(path)

    def _changed(self, path: Path, offset_ms: float) -> str:
        """The content of the file with the result; raises `DtalkerError`."""
        try:
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            text = with_parameter(text, self._values["player"], "sound_offset_ms", offset_ms)
            if offset_ms < 0:  # the sound comes earlier, so the face must leave it more time
                delay_ms = SAFE_DELAY_MS - offset_ms
                text = with_parameter(text, self._values["talker"], "playout_delay_ms", delay_ms)
        except (OSError, UnicodeDecodeError) as error:
            raise DtalkerError(f"cannot read {path}: {error}") from None
        except SettingError as error:
            raise SettingError(f"params_file: {path}: {error}") from None
        return text

    def _write(self, path: Path, offset_ms: float) -> None:
        text = self._changed(path, offset_ms)
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise DtalkerError(f"cannot write {path}: {error}") from None
        self.get_logger().info(f"written to {path}")

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)


def times_ns(path: Path) -> list[float]:
    """Seconds in the first column of a CSV, as nanoseconds; the first line may be a heading. Raises `DtalkerError`."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row[0] for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError) as error:
        raise DtalkerError(f"cannot read camera_csv {path}: {error}") from None
    found = []
    for number, cell in enumerate(rows):
        try:
            found.append(float(cell) * 1e9)
        except ValueError:
            if number:
                raise DtalkerError(f"camera_csv {path}: {cell!r} is no time in seconds") from None
    return found


def main(args: Sequence[str] | None = None) -> int:
    """Calibrate; returns the exit code."""
    return run_node(CalibrateLatency, args, CalibrateLatency.calibrate)


if __name__ == "__main__":
    sys.exit(main())
