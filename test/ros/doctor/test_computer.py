"""Speed and microphones."""

import sys

import pytest

from dtalker_ros.doctor import computer
from dtalker_ros.doctor.computer import Speed, check_microphones, check_speed, found_microphones, measured_speed
from dtalker_ros.doctor.finding import Level


@pytest.mark.parametrize(("factor", "level"), [(0.05, Level.OK), (0.6, Level.WARN), (1.4, Level.ERROR)])
def test_the_speed(factor: float, level: Level) -> None:
    finding = check_speed(Speed(factor, 4.0))
    assert finding.level == level
    assert f"real-time factor {factor:.2f}" in finding.text
    assert bool(finding.remedy) == (level != Level.OK)


def test_a_model_that_does_not_run_is_an_error() -> None:
    finding = check_speed(RuntimeError("no model"))
    assert (finding.level, finding.text) == (Level.ERROR, "does not run: no model")


def test_it_is_measured_on_this_machine() -> None:
    speed = measured_speed()
    assert 0 < speed.real_time_factor < 50
    assert speed.worst_ms >= 20 * speed.real_time_factor * 0.99


def test_microphones_are_asked_in_a_process() -> None:
    assert found_microphones([sys.executable, "-c", "print('noise'); print('[\"USB mic\"]')"]) == ["USB mic"]
    with pytest.raises(RuntimeError, match="no PortAudio"):
        found_microphones([sys.executable, "-c", "import sys; sys.exit('no PortAudio')"])


def test_a_sound_system_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computer, "MICROPHONE_S", 0.2)
    with pytest.raises(RuntimeError, match=r"did not answer within 0\.2 s"):
        found_microphones([sys.executable, "-c", "import signal; signal.pause()"])


@pytest.mark.parametrize(
    ("found", "level", "remedy"),
    [
        (["USB mic"], Level.OK, ""),
        ([], Level.WARN, "plug one in"),
        (RuntimeError("ModuleNotFoundError: No module named 'sounddevice'"), Level.OK, "pip install sounddevice"),
        (RuntimeError("OSError: PortAudio library not found"), Level.WARN, "apt install libportaudio2"),
        (RuntimeError("it hangs"), Level.WARN, "arecord -l"),
    ],
)
def test_the_microphones(found: list[str] | Exception, level: Level, remedy: str) -> None:
    finding = check_microphones(found)
    assert finding.level == level
    assert remedy in finding.remedy
