"""`doctor` on this machine: alone, beside a talker that hears and one that waits for a clock, and without a package."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from node_rig import node
from real_time_rig import in_real_time
from ros_rig import WAIT_S, Listener, listener, rclpy

# isort: split

from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import Int16MultiArray

__all__ = ["listener"]

MOST_S = 8.0
"""It takes 5 s, and Python starts slowly where others want the cores."""


def doctor(*words: str, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "dtalker_ros.nodes.doctor", *words]
    return subprocess.run(
        command, env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=WAIT_S, check=False
    )


def findings(*words: str) -> list[dict[str, Any]]:
    done = doctor("--json", *words)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert done.returncode == any(finding["level"] == "ERROR" for finding in found), done.stdout + done.stderr
    return found


def texts(found: list[dict[str, Any]], point: str) -> list[tuple[str, str]]:
    return [(finding["level"], finding["text"]) for finding in found if finding["point"] == point]


@in_real_time
def test_alone_it_tells_everything_within_its_time(listener: Listener) -> None:
    begun_s = time.monotonic()
    done = doctor()
    taken_s = time.monotonic() - begun_s
    print(done.stdout, f"{taken_s:.1f} s")
    assert done.returncode == 0, done.stdout + done.stderr
    for point in (
        "Python",
        "packages",
        "messages",
        "middleware",
        "domain",
        "reach",
        "speed",
        "audio",
        "talker",
        "clock",
    ):
        assert f" {point}: " in done.stdout
    assert "WARN   talker: none is to be seen\n       -> ros2 launch dtalker" in done.stdout
    assert done.stdout.splitlines()[-1].endswith(" 0 ERROR")
    assert taken_s < MOST_S


def test_beside_a_talker_it_tells_what_that_says_and_who_does_not_hear_it(listener: Listener) -> None:
    with node():
        publisher = listener.node.create_publisher(Int16MultiArray, "audio", 10)
        listener.until(publisher.get_subscription_count, "the subscription")
        latched = QoSProfile(depth=10, durability=rclpy.qos.DurabilityPolicy.TRANSIENT_LOCAL)
        listener.node.create_subscription(_frames(), "blendshapes", print, latched)
        best_effort = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
        listener.node.create_subscription(_frames(), "blendshapes", print, best_effort)
        found = findings()
    assert texts(found, "audio") == [("OK", "/audio carries std_msgs/msg/Int16MultiArray, from /listener")]
    assert texts(found, "talker") == [("OK", "/dtalker: hearing")]
    ((level, text),) = texts(found, "QoS")
    assert level == "ERROR" and text.startswith("/listener does not hear /dtalker on /blendshapes: nothing is kept")


def test_a_talker_that_waits_for_a_clock_is_an_error(listener: Listener) -> None:
    with node(use_sim_time=True):
        found = findings("--ros-args", "-r", "audio:=/elsewhere")
    assert ("ERROR", "/dtalker has use_sim_time, and nobody publishes /clock") in texts(found, "clock")
    assert texts(found, "audio")[0][1].startswith("nobody publishes on /elsewhere")


def test_without_a_package_it_names_it_and_does_not_fail_itself(listener: Listener, tmp_path: Path) -> None:
    (tmp_path / "soxr.py").write_text("raise ImportError('compiled for another processor')\n")
    done = doctor(env={"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])})
    assert done.returncode == 1
    assert "ERROR  packages: soxr cannot be imported (compiled for another processor)" in done.stdout
    assert "mend the packages first" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_ros_arguments_that_are_wrong_are_one_error(listener: Listener) -> None:
    done = doctor("--ros-args", "-r", "not a rule")
    assert done.returncode == 1
    assert "ERROR  ROS 2: does not start: " in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_middleware_that_is_not_there_is_one_error(listener: Listener) -> None:
    done = doctor(env={"RMW_IMPLEMENTATION": "rmw_of_nobody_cpp"})
    assert done.returncode == 1
    assert "ERROR  middleware: RMW_IMPLEMENTATION is rmw_of_nobody_cpp, but: " in done.stdout
    assert "microphone: " in done.stdout


def _frames() -> Any:
    from dtalker.msg import Blendshapes

    return Blendshapes
