"""The launch file, started for real where launch_ros is importable (it is not on PyPI).

``DTALKER_LAUNCH_PATH`` may name folders, separated by colons, that hold launch, launch_ros and osrf_pycommon.
"""

# ruff: noqa: E402 (what comes after importorskip)
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LAUNCH_PATH = [folder for folder in os.environ.get("DTALKER_LAUNCH_PATH", "").split(os.pathsep) if folder]
sys.path.extend(LAUNCH_PATH)
pytest.importorskip("launch_ros", reason="needs launch_ros, which a ROS 2 install has and PyPI has not")

from checkout import ROOT
from ros_rig import Listener, finish, listener

# isort: split

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.srv import GetParameters

__all__ = ["listener"]

LAUNCH_FILE = ROOT / "launch" / "talker.launch.py"
START = """
import sys
from launch import LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch import LaunchDescription
arguments = [tuple(word.split(":=", 1)) for word in sys.argv[2:]]
source = PythonLaunchDescriptionSource(sys.argv[1])
service = LaunchService()
service.include_launch_description(
    LaunchDescription([IncludeLaunchDescription(source, launch_arguments=arguments)])
)
sys.exit(service.run())
"""


PARENT = """
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, SetLaunchConfiguration
from launch.launch_description_sources import PythonLaunchDescriptionSource


def generate_launch_description():
    include = IncludeLaunchDescription(PythonLaunchDescriptionSource({file!r}))
    return LaunchDescription(
        [
            DeclareLaunchArgument("model", default_value="/opt/robot.urdf"),
            SetLaunchConfiguration("name", "robot1"),
            include,
        ]
    )
"""
ENDINGS = int(os.environ.get("DTALKER_ENDINGS", "2"))
"""How often Ctrl-C is tried; ten times for a claim."""


def children(pid: int) -> list[int]:
    """Processes that `pid` has started."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def launch(*arguments: str, file: Path = LAUNCH_FILE) -> "subprocess.Popen[str]":
    """What ``ros2 launch dtalker talker.launch.py ARGUMENTS`` does."""
    path = os.pathsep.join([os.environ.get("PYTHONPATH", ""), *LAUNCH_PATH])
    return subprocess.Popen(
        [sys.executable, "-c", START, str(file), *arguments],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def interrupt(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Ctrl-C in a terminal: the launch process and its children get it alike."""
    os.killpg(process.pid, signal.SIGINT)
    return finish(process)


def parameter(listener: Listener, node: str, name: str) -> Any:
    value = listener.call(GetParameters, f"{node}/get_parameters", names=[name]).values[0]
    return value.double_value or value.string_value


def test_it_talks_with_its_defaults(listener: Listener) -> None:
    process = launch()
    listener.until(lambda: len(listener.frames) > 20 or process.poll() is not None, "frames")
    code, output = interrupt(process)
    assert code == 0, output
    assert "Traceback" not in output
    listener.assert_grid()


def test_arguments_win_over_the_file(listener: Listener, tmp_path: Path) -> None:
    text = (ROOT / "launch" / "params.yaml").read_text(encoding="utf-8")
    file = tmp_path / "params.yaml"
    file.write_text(text.replace('emotion: "neutral"', 'emotion: "sad"').replace("gap_ms: 0.0", "gap_ms: 150.0"))
    process = launch(f"params_file:={file}", "emotion:=happy", "intensity:=1", "namespace:=left", "blendshapes:=/face")
    listener.until(lambda: "dtalker" in listener.node.get_node_names() or process.poll() is not None, "the node")
    listener.until(lambda: listener.node.get_publishers_info_by_topic("/face"), "the remapped topic")
    assert parameter(listener, "left/dtalker", "emotion") == "happy"
    assert parameter(listener, "left/dtalker", "gap_ms") == 150.0
    assert parameter(listener, "left/dtalker", "intensity") == 1.0
    code, output = interrupt(process)
    assert code == 0, output


def test_the_open_model_is_chosen_by_name(listener: Listener) -> None:
    process = launch("dtalker_model:=dtalker-open", "emotion:=sad")
    listener.until(lambda: len(listener.frames) > 20 or process.poll() is not None, "frames")
    assert parameter(listener, "dtalker", "model") == "dtalker-open"
    code, output = interrupt(process)
    assert code == 0, output
    assert "Traceback" not in output


def test_without_autostart_a_manager_leads(listener: Listener) -> None:
    process = launch("autostart:=false")
    for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
        answer = listener.call(ChangeState, "dtalker/change_state", transition=Transition(id=transition))
        assert answer.success
    listener.until(lambda: listener.frames, "frames")
    code, output = interrupt(process)
    assert code == 0, output


def test_sinks_are_written_by_a_node_beside(listener: Listener, tmp_path: Path) -> None:
    process = launch(
        f"sinks:=csv:{tmp_path}/face.csv,{tmp_path}/face.jsonl", "dtalker_name:=left", "blendshapes:=/face"
    )
    part = tmp_path / "face.jsonl.part"
    listener.until(lambda: (part.exists() and part.read_text()) or process.poll() is not None, "frames in the file")
    code, output = interrupt(process)
    assert code == 0, output
    assert "Traceback" not in output
    assert len((tmp_path / "face.csv").read_text().splitlines()) > 1
    assert (tmp_path / "face.jsonl").exists()


def test_a_parent_with_a_model_and_a_name_of_its_own(listener: Listener, tmp_path: Path) -> None:
    """As a robot's launch file includes it: `model` is an URDF, `name` the robot, and both are set before."""
    parent = tmp_path / "robot.launch.py"
    parent.write_text(PARENT.format(file=str(LAUNCH_FILE)))
    process = launch("emotion:=sad", file=parent)
    listener.until(lambda: len(listener.frames) > 20 or process.poll() is not None, "frames")
    assert parameter(listener, "dtalker", "model") == "dtalker"
    assert parameter(listener, "dtalker", "emotion") == "sad"
    code, output = interrupt(process)
    assert code == 0, output
    assert "robot.urdf" not in output


def test_a_model_under_the_robots_name_is_said() -> None:
    _, output = finish(launch("model:=dtalker-open", "autostart:=false", "log_level:=loud"))
    assert ", exit code 1, " in output  # the node's; that of launch says nothing about nodes
    assert "model:=dtalker-open is not used: the talker's model is dtalker_model:=dtalker-open" in output
    assert "cannot start: failed to initialize rcl: Couldn't parse log level: '--log-level loud'" in output
    assert "Traceback" not in output


def test_a_missing_parameter_file_is_an_error(tmp_path: Path) -> None:
    code, output = finish(launch(f"params_file:={tmp_path}/nowhere.yaml"))
    assert code == 1
    assert f"params_file: no file at {tmp_path}/nowhere.yaml" in output
    assert "talker_node" not in output


@pytest.mark.parametrize("number", range(ENDINGS))
def test_ctrl_c_is_a_clean_end_of_all_nodes(listener: Listener, tmp_path: Path, number: int) -> None:
    """The terminal and launch both signal: a node must not die of the second signal while it ends."""
    process = launch(f"sinks:={tmp_path}/face.csv")
    listener.until(lambda: (tmp_path / "face.csv.part").exists() or process.poll() is not None, "the sink node")
    listener.until(lambda: len(listener.frames) > 5 or process.poll() is not None, "frames")
    nodes = children(process.pid)
    assert len(nodes) == 2
    os.killpg(process.pid, signal.SIGINT)
    while process.poll() is None:  # whoever ends gets it again and again
        for node in nodes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(node, signal.SIGINT)
        listener.executor.spin_once(timeout_sec=0.01)
    code, output = finish(process)
    assert code == 0, output
    assert output.count("process has finished cleanly") == 2, output
    assert "has died" not in output and "Traceback" not in output, output


def test_every_argument_is_described() -> None:
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    from launch import LaunchContext

    description = PythonLaunchDescriptionSource(str(LAUNCH_FILE)).get_launch_description(LaunchContext())
    arguments = description.get_launch_arguments()
    assert len(arguments) >= 15
    assert all(len(argument.description) > 10 for argument in arguments)
