"""``dtalker view``: bad usage in one line, and a served page that Ctrl-C ends."""

import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="needs the extra [view] (aiohttp)")

from dtalker_model.cli.main import main

COMMAND = [sys.executable, "-m", "dtalker_model.cli", "view", "--no-open", "--port", "0"]
SIGNALLED_THREAD = """
import signal, sys, threading
from dtalker_model.cli.main import main

def signal_this_thread():
    sys.stdin.read()
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)

threading.Thread(target=signal_this_thread, daemon=True).start()
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no.wav"], "no.wav: No such file"),
        (["--mic", "x.wav"], "not both"),
        (["--port", "70000"], "port: 70000 is out of range"),
        (["--avatar", "no.glb"], "no.glb: No such file"),
        (["--emotion", "hapy"], "did you mean 'happy'"),
        (["--host", "256.1.1.1", "--port", "0"], "cannot serve on 256.1.1.1"),
    ],
)
def test_bad_usage_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(["view", "--no-open", *arguments])
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    error = capsys.readouterr().err
    assert (code, error.count("\n")) == (2, 1), error
    assert message in error


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["view", "--no-open"]) == 2
    assert "pip install aiohttp" in capsys.readouterr().err
    assert main(["view", "--topic"]) == 2
    assert "needs ROS 2" in capsys.readouterr().err


def test_the_page_is_served_until_ctrl_c(demo_wav: Path) -> None:
    code, err = _served_until(COMMAND, demo_wav, lambda process: process.send_signal(signal.SIGINT))
    assert "Traceback" not in err
    assert code == 130


def test_a_ctrl_c_that_another_thread_gets_ends_it_too(demo_wav: Path) -> None:
    command = [sys.executable, "-c", SIGNALLED_THREAD, *COMMAND[3:]]
    code, err = _served_until(command, demo_wav, lambda process: None)
    assert "Traceback" not in err
    assert code == 130


def _served_until(command: list[str], speech: Path, end: Callable[["subprocess.Popen[str]"], None]) -> tuple[int, str]:
    """Start `command`, get its page, `end` it and close its stdin; its exit code and stderr."""
    pipe = subprocess.PIPE
    process = subprocess.Popen([*command, str(speech)], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert process.stdout is not None
    try:
        address = process.stdout.readline().split()[5]
        with urllib.request.urlopen(address, timeout=30) as answer:
            assert b"<title>dtalker</title>" in answer.read()
        end(process)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
    return process.returncode, err
