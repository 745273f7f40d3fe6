"""``dtalker live --mic``: a stand-in for sounddevice speaks, since CI has no microphone."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from cli_rig import refused_here, rows_of, voice

from dtalker_model.cli.main import main
from dtalker_model.cli.sound.live_audio import AudioQueue


class FakeMicrophone(ModuleType):
    """Stands in for sounddevice: hands `pcm` over from a thread in real time, then calls `at_end`."""

    def __init__(self, pcm: np.ndarray, rate_hz: int = 48_000, pause_s: float = 0.02) -> None:
        super().__init__("sounddevice")
        self.pcm, self.rate_hz, self.pause_s = pcm, rate_hz, pause_s
        self.at_end: Callable[[], None] = lambda: signal.raise_signal(signal.SIGINT)
        self.asked: list[Any] = []
        self.PortAudioError = type("PortAudioError", (Exception,), {})

    def query_devices(self, device: Any, kind: str) -> dict[str, float]:
        self.asked.append(device)
        if device == "nobody":
            raise ValueError("No input device matching 'nobody'")
        return {"default_samplerate": float(self.rate_hz)}

    def InputStream(self, **options: Any) -> Any:
        assert (options["dtype"], options["channels"], options["samplerate"]) == ("int16", 1, self.rate_hz)
        size, hear = options["blocksize"], options["callback"]

        def run() -> None:
            hear(self.pcm[:size], size, None, "input overflow")
            for start in range(size, len(self.pcm), size):
                time.sleep(self.pause_s)
                hear(self.pcm[start : start + size], size, None, None)
            self.at_end()

        thread = threading.Thread(target=run)
        return SimpleNamespace(start=thread.start, close=thread.join)


@pytest.fixture
def microphone(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeMicrophone]:
    """One second of voice in the microphone, then Ctrl-C."""
    fake = FakeMicrophone((voice(1, 48_000) * 32_000).astype(np.int16))
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


def test_the_microphone_needs_no_ros(microphone: FakeMicrophone, tmp_path: Path, capsys: Any) -> None:
    assert main(["live", "--mic", "--device", "3", "--sink", str(tmp_path / "a.csv"), "--no-blink"]) == 0
    assert microphone.asked == [3]
    rows = rows_of((tmp_path / "a.csv").read_text())
    assert 50 <= len(rows) <= 52
    err = capsys.readouterr().err
    assert "dtalker: microphone: input overflow\n" in err
    assert f"{tmp_path}/a.csv: {len(rows)} frames, 0.00 s of audio dropped" in err


def test_the_microphone_is_recorded_for_a_film(
    microphone: FakeMicrophone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dtalker_model.sinks.heads.video_file import VideoSink

    heard: list[np.ndarray] = []

    def close(self: Any) -> None:
        pcm, rate_hz = soundfile.read(self.speech, dtype="int16")
        assert rate_hz == 48_000
        heard.append(pcm)

    monkeypatch.setattr(VideoSink, "open", lambda self, info: setattr(self, "speech", info.speech))
    monkeypatch.setattr(VideoSink, "write", lambda self, frame: None)
    monkeypatch.setattr(VideoSink, "close", close)
    assert main(["live", "--mic", "--sink", str(tmp_path / "a.mp4")]) == 0
    np.testing.assert_array_equal(heard[0], microphone.pcm[:, 0])


def test_late_audio_is_dropped_and_said(
    microphone: FakeMicrophone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from dtalker_model.sinks.records.csv_file import CsvSink

    monkeypatch.setattr(AudioQueue.__init__, "__defaults__", (0.1,))
    write = CsvSink.write

    def slow(self: Any, frame: Any) -> None:
        time.sleep(0.03)
        write(self, frame)

    monkeypatch.setattr(CsvSink, "write", slow)
    assert main(["live", "--mic", "--sink", str(tmp_path / "a.csv")]) == 0
    err = capsys.readouterr().err
    assert err.count("dtalker: audio is dropped: this machine, or a sink, is too slow\n") == 1
    assert len(rows_of((tmp_path / "a.csv").read_text())) < 45
    assert ", 0.00 s of audio dropped" not in err


def test_a_device_that_is_none(microphone: FakeMicrophone, capsys: Any) -> None:
    message = refused_here(capsys, "live", "--mic", "--device", "nobody")
    assert message.startswith("no microphone to open: No input device matching 'nobody'; `python -m sounddevice` lists")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ImportError(), "the microphone needs the Python module sounddevice: pip install sounddevice"),
        (OSError("PortAudio library not found"), "the microphone needs PortAudio (PortAudio library not found): apt"),
    ],
)
def test_without_sounddevice_or_portaudio_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, error: Exception, message: str
) -> None:
    class Finder:
        @staticmethod
        def find_spec(name: str, *rest: Any) -> None:
            if name == "sounddevice":
                raise error

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    assert refused_here(capsys, "live", "--mic").startswith(message)
