"""How findings are told, and that no check can hang or break the others."""

import sys
import threading

import pytest

from dtalker_ros.doctor.examination import begun, caught, check_ros, seen
from dtalker_ros.doctor.finding import Finding, Level, as_json, exit_code, summary, told

WAIT_S = 30.0
FINDINGS = [
    Finding(Level.OK, "Python", "3.12.3"),
    Finding(Level.WARN, "audio", "nobody publishes on /audio", "start the microphone"),
    Finding(Level.ERROR, "packages", "soxr cannot be imported (no module\n\x1b[2J)", "pip install soxr"),
]


def test_a_finding_is_a_line_with_its_remedy_below() -> None:
    assert told(FINDINGS[0]) == "OK     Python: 3.12.3"
    assert told(FINDINGS[1]).splitlines() == [
        "WARN   audio: nobody publishes on /audio",
        "       -> start the microphone",
    ]
    assert told(FINDINGS[2]).splitlines()[0] == "ERROR  packages: soxr cannot be imported (no module ?[2J)"
    assert max(map(len, told(Finding(Level.OK, "a", "word " * 100, "more " * 100)).splitlines())) <= 110


def test_only_an_error_is_an_exit_code() -> None:
    assert (exit_code(FINDINGS[:2]), exit_code(FINDINGS), exit_code([])) == (0, 1, 0)
    assert summary(FINDINGS) == "1 OK, 1 WARN, 1 ERROR"
    assert as_json(FINDINGS[1])["level"] == "WARN"


def test_what_hangs_or_fails_is_an_exception_in_time() -> None:
    held = threading.Event()
    try:
        assert str(begun(held.wait)(0.05)) == "it did not answer within 0.05 s"
    finally:
        held.set()
    assert isinstance(caught(lambda: 1 // 0), ZeroDivisionError)
    assert begun(lambda: 3)(5.0) == 3


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("import rclpy_of_nobody", "cannot be imported (ModuleNotFoundError: No module named 'rclpy_of_nobody')"),
        ("raise ValueError('no rule, at /place/in/rcl.c:7')", "does not start: ValueError: no rule"),
        ("import sys; sys.exit('[ERROR] [17.5] [rcl]: bad, at /place')", "does not start: bad"),
        ("import os; os._exit(102)", "does not start: no reason given"),
    ],
)
def test_ros_that_does_not_start_is_one_error(program: str, text: str) -> None:
    (finding,) = check_ros(caught(lambda: seen([sys.executable, "-c", program], WAIT_S)))
    assert (finding.level, finding.point, finding.text) == (Level.ERROR, "ROS 2", text)
    assert finding.remedy


def test_ros_that_hangs_is_given_up() -> None:
    (finding,) = check_ros(caught(lambda: seen([sys.executable, "-c", "import signal; signal.pause()"], 0.2)))
    assert finding.text == "does not start: it did not answer within 0.2 s"
