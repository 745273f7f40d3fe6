"""The nodes call nobody but this machine's ROS, and write nothing but ROS's own log."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT
from ros_rig import Listener, finish, listener
from strace_rig import home, reach_of, traced

__all__ = ["listener"]

NODES = {
    "talker_node": ("dtalker", []),
    "face_viewer_node": ("face_viewer", ["-p", "port:=0"]),
    "sink_node": ("sink", ["-p", "sinks:=[face.csv]"]),
    "audio_file_node": ("audio_file", ["-p", f"file:={ROOT / 'dtalker_model' / 'data' / 'demo.wav'}"]),
}
"""Their names, and what they need."""


def child_of(process: "subprocess.Popen[str]") -> int:
    """The traced process."""
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])


@pytest.mark.parametrize("module", NODES)
def test_a_node_reaches_nothing_but_ros(listener: Listener, tmp_path: Path, module: str) -> None:
    log = tmp_path / "strace.log"
    name, needed = NODES[module]
    command = [sys.executable, "-m", f"dtalker_ros.nodes.{module}", *(["--ros-args", *needed] if needed else [])]
    process = subprocess.Popen(
        traced(command, log),
        cwd=tmp_path,
        env={**home(tmp_path / "home"), "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    listener.until(lambda: name in listener.node.get_node_names() or process.poll() is not None, "the node")
    if module == "face_viewer_node":
        listener.logged("the face is at")
    elif module == "talker_node":
        listener.until(lambda: len(listener.frames) > 200 or process.poll() is not None, "four seconds of frames")
    os.kill(child_of(process), signal.SIGINT)
    code, output = finish(process)
    assert code == 0, output
    reach = reach_of(log, tmp_path)
    assert reach.addresses == frozenset()
    assert reach.written_outside(tmp_path / "home" / ".ros") == []
