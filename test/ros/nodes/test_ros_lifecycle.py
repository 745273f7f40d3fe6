"""Up and down by transitions without leftovers; bad starts end with one clear line; signals end with code 0."""

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT
from node_rig import node
from ros_rig import WAIT_S, Listener, finish, listener, start

# isort: split

from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState

__all__ = ["listener"]

ACTIVE = "active: model dtalker, waits for audio of any type on /audio, the face 80 ms after the sound"
CONFIGURE, CLEANUP = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP
ACTIVATE, DEACTIVATE = Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE


def change(listener: Listener, transition: int) -> bool:
    request = Transition(id=transition)
    return bool(listener.call(ChangeState, "dtalker/change_state", transition=request).success)


def state(listener: Listener) -> int:
    return int(listener.call(GetState, "dtalker/get_state").current_state.id)


def entities(talker_node: Any) -> tuple[int, ...]:
    kinds = (talker_node.publishers, talker_node.subscriptions, talker_node.timers, talker_node.services)
    return tuple(len(list(kind)) for kind in kinds)


def test_up_and_down_twice_leaves_nothing_behind(listener: Listener) -> None:
    with node(started=False, autostart=False) as talker_node:
        assert state(listener) == State.PRIMARY_STATE_UNCONFIGURED
        bare, threads = entities(talker_node), threading.active_count()
        parameters = set(talker_node.parameters.values())
        for _ in range(2):
            assert change(listener, CONFIGURE)
            configured = entities(talker_node)
            assert not listener.frames
            assert change(listener, ACTIVATE)
            listener.until(lambda: len(listener.frames) > 10, "frames")
            assert threading.active_count() == threads + 1
            assert change(listener, DEACTIVATE)
            assert (entities(talker_node), threading.active_count()) == (configured, threads)
            listener.settle()
            listener.frames.clear()
            assert change(listener, CLEANUP)
            assert (entities(talker_node), talker_node.talker) == (bare, None)
            assert set(talker_node.parameters.values()) == parameters
            assert not listener.frames


def test_sequence_begins_at_zero_after_each_activation(listener: Listener) -> None:
    with node(started=False) as talker_node:
        assert talker_node.trigger_configure()
        for _ in range(2):
            listener.frames.clear()
            assert change(listener, ACTIVATE)
            listener.until(lambda: len(listener.frames) > 10, "frames")
            assert change(listener, DEACTIVATE)
            listener.settle()
            assert listener.frames[0][1].sequence == 0
            listener.assert_grid()


def test_an_impossible_transition_is_refused_and_the_node_lives(listener: Listener) -> None:
    process = start("talker_node")
    try:
        listener.until(lambda: listener.infos, "the talker node")
        assert not change(listener, CONFIGURE)
        assert state(listener) == State.PRIMARY_STATE_ACTIVE
        count = len(listener.frames)
        listener.until(lambda: len(listener.frames) > count + 10, "more frames")
    finally:
        code, output = finish(process, signal.SIGTERM)
    assert code == 0, output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("autostart", [True, False])
def test_signals_end_the_node_quietly(listener: Listener, number: int, autostart: bool) -> None:
    process = start("talker_node", autostart=autostart)
    listener.until(lambda: "dtalker" in listener.node.get_node_names(), "the node")
    if autostart:
        listener.until(lambda: listener.frames, "frames")
    code, output = finish(process, number)
    assert code == 0
    lines = [line for line in output.splitlines() if "late: dropped" not in line]  # a machine that tests much at once
    assert len(lines) == (1 if autostart else 0), output  # one line once active, and nothing else
    assert all(line.endswith(ACTIVE) for line in lines)


@pytest.mark.parametrize("module", ["talker_node", "sink_node", "face_viewer_node", "audio_file_node"])
def test_a_second_signal_while_it_ends_does_no_harm(
    listener: Listener, tmp_path: Path, demo_wav: Path, module: str
) -> None:
    every: dict[str, dict[str, Any]] = {
        "sink_node": {"sinks": [f"{tmp_path}/face.csv"]},
        "face_viewer_node": {"port": 0},
        "audio_file_node": {"file": str(demo_wav), "loop": True},
    }
    parameters = every.get(module, {})
    name = {"talker_node": "dtalker", "audio_file_node": "audio_file"}.get(module, module.removesuffix("_node"))
    process = start(module, **parameters)
    listener.until(lambda: name in listener.node.get_node_names() or process.poll() is not None, "the node")
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        listener.executor.spin_once(timeout_sec=0.002)
    code, output = finish(process)
    assert code == 0, output
    assert "Traceback" not in output


def test_a_signal_while_python_imports_ends_it_quietly(tmp_path: Path) -> None:
    """The executables of `ros2 run`: their first second."""
    for script in sorted((ROOT / "scripts" / "ros").glob("*_node")):
        process = subprocess.Popen(
            [sys.executable, "-X", "importtime", str(script)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        said = iter(process.stderr.readline, "")
        assert any("dtalker_ros.nodes.starting" in line for line in said)
        next(line for line in said if "numpy" in line)  # in the middle of the imports
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=WAIT_S)
        assert (process.returncode, out) == (0, ""), script
        assert "Traceback" not in err


def test_shutdown_transition_from_active(listener: Listener) -> None:
    with node() as talker_node:
        listener.until(lambda: listener.frames, "frames")
        assert change(listener, Transition.TRANSITION_ACTIVE_SHUTDOWN)
        assert talker_node.talker is None
        assert state(listener) == State.PRIMARY_STATE_FINALIZED


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"model": "nobody"}, "no model 'nobody'"),
        ({"model": "{bad}"}, "bad.json is missing"),
        ({"audio_format": "opus"}, "unknown sample format 'opus'"),
        ({"pacing": "slow"}, "pacing: received 'slow'"),
        ({"intensity": 7.0}, "intensity out of range"),
        ({"intensity": "much"}, "expecting type 'DOUBLE'"),
    ],
)
def test_a_bad_start_gives_one_line_and_code_1(tmp_path: Path, parameters: dict[str, Any], expected: str) -> None:
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"no model")
    given: dict[str, Any] = {key: str(bad) if value == "{bad}" else value for key, value in parameters.items()}
    code, output = finish(start("talker_node", **given))
    assert code == 1
    assert expected in output
    assert output.count("[FATAL]") == 1
    assert len(output.strip().splitlines()) == 1, output


def test_a_failed_configure_leaves_the_node_unconfigured(listener: Listener) -> None:
    with node(started=False, model="nobody"):
        assert not change(listener, CONFIGURE)
        assert state(listener) == State.PRIMARY_STATE_UNCONFIGURED
        listener.logged("cannot configure: no model 'nobody'")


def test_whatever_a_foreign_file_raises_is_one_line(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once rclpy took it, and the node was gone without a word."""

    def load(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL\n  in a foreign file")

    monkeypatch.setattr("dtalker_model.load", load)
    with node(started=False):
        assert not change(listener, CONFIGURE)
        assert state(listener) == State.PRIMARY_STATE_UNCONFIGURED
        line = listener.logged("cannot configure")
    assert line == "cannot configure: RuntimeError: [ONNXRuntimeError] : 1 : FAIL in a foreign file"
