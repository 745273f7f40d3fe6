"""The demo as a user starts it, a short soak, and the microphone node where there is no microphone."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest
import soundfile
from ros_rig import QOS, Listener, clip, finish, listener, short_wav, start

# isort: split

from std_msgs.msg import Int16MultiArray

__all__ = ["listener", "short_wav"]

DEMO_S = 90


def run(module: str, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", f"dtalker_ros.nodes.{module}", *arguments],
        capture_output=True,
        text=True,
        timeout=DEMO_S,
    )
    return done.returncode, done.stdout, done.stderr


def test_demo_ends_with_one_line_and_a_picture(short_wav: Path, tmp_path: Path) -> None:
    picture = tmp_path / "demo.png"
    code, out, err = run("demo", "--clip", str(short_wav), "--out", str(picture), "--emotion", "happy")
    assert code == 0, err
    line = out.strip().splitlines()[-1]
    print(line)
    assert "the face is at http://127.0.0.1:" in err
    assert re.match(r"demo: 100 of 100 frames, real-time factor 0\.\d+, latency from audio chunk to frame p50 ", line)
    assert f"0 gaps, picture {picture}" in line
    height, width, _ = matplotlib.image.imread(picture).shape
    assert (width, height) >= (1000, 600)
    assert "Traceback" not in err


def test_a_headless_demo_serves_no_page(short_wav: Path, tmp_path: Path) -> None:
    code, out, err = run("demo", "--clip", str(short_wav), "--out", str(tmp_path / "demo.png"), "--headless")
    assert (code, "demo: 100 of 100 frames" in out) == (0, True), err
    assert "the face is at" not in err


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (("--clip", "nowhere.wav"), 2, "demo: no sound file at nowhere.wav"),
        (("--emotion", "hapy"), 1, "did you mean 'happy'?"),
    ],
)
def test_demo_says_what_is_wrong(arguments: tuple[str, ...], code: int, expected: str) -> None:
    got, _, err = run("demo", *arguments)
    assert got == code
    assert expected in err
    assert "Traceback" not in err


def test_a_short_soak_loses_nothing() -> None:
    # A pace that a busy machine bears: audio that waits takes memory.
    code, out, err = run("soak", "--minutes", "1", "--speed", "2.5")
    print(out)
    assert "soak: 3000 frames, 0 lost, 0 out of step, 0 messages lost" in out, err
    assert code == 0, out


def test_a_player_loops_at_another_rate_and_ends_on_ctrl_c(demo_wav: Path, tmp_path: Path) -> None:
    pcm, rate_hz = clip(demo_wav, 0.5)
    path = tmp_path / "half.flac"
    soundfile.write(path, pcm, rate_hz)
    process = start("audio_file_node", file=str(path), loop=True, min_subscribers=0, sample_rate_hz=22_050)
    assert process.stderr is not None
    assert "playing" in process.stderr.readline()
    code, output = finish(process, signal.SIGINT)
    assert (code, "Traceback" in output) == (0, False)


def test_the_microphone_node_says_why_there_is_none() -> None:
    code, output = finish(start("microphone_node", device="no such device"))
    assert code == 1
    assert re.search("needs the Python module sounddevice|needs PortAudio|no microphone to open", output)
    assert "Traceback" not in output


FAKE_SOUNDDEVICE = """
import threading
import numpy

class PortAudioError(Exception):
    pass

class InputStream:
    def __init__(self, samplerate, blocksize, device, channels, dtype, callback):
        if device is not None:
            raise ValueError(f"No input device matching {device!r}")
        self.block, self.callback, self.stop = numpy.full((blocksize, channels), 7, dtype), callback, threading.Event()
        self.thread = threading.Thread(target=self.run)
    def run(self):
        while not self.stop.wait(0.02):
            self.callback(self.block, len(self.block), None, None)
    def __enter__(self):
        self.thread.start()
    def __exit__(self, *error):
        self.stop.set()
        self.thread.join()
"""


def test_the_microphone_node_publishes_what_it_hears(listener: Listener, tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text(FAKE_SOUNDDEVICE)
    env = {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    heard: list[Any] = []
    listener.node.create_subscription(Int16MultiArray, "audio", heard.append, QOS)
    process = start("microphone_node", env)
    listener.until(lambda: len(heard) > 20, "chunks")
    assert heard[0].data.tolist() == [7] * 320
    code, output = finish(process, signal.SIGTERM)
    assert (code, "Traceback" in output) == (0, False)
    code, output = finish(start("microphone_node", env, device="nowhere"))
    assert code == 1
    assert "no microphone to open: No input device matching 'nowhere'" in output
