"""Parameters: every one is described, changes take effect while the node runs, refusals say why and change nothing."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from node_rig import node
from real_time_rig import in_real_time
from ros_rig import Listener, finish, listener, start

# isort: split

from rclpy.parameter import Parameter

from dtalker_model.blendshapes import ARKIT_NAMES, INDEX, LOWER_FACE
from dtalker_model.settings import setting_specs
from dtalker_ros.parameters.parameters import NODE_PARAMETERS, setting_parameters

__all__ = ["listener"]

REFUSED: list[tuple[str, Any, str]] = [
    ("emotion", "hapy", "emotion: unknown name 'hapy'; did you mean 'happy'?"),
    ("identity", "nobody", "identity: unknown name 'nobody'"),
    ("intensity", 2.5, "intensity out of range Min: 0.0, Max: 2.0"),
    ("gain.jawOpen", -1.0, "gain.jawOpen out of range"),
    ("offset.upper", 1.5, "offset.upper out of range"),
    ("emotion_weights.happy", 1.5, "emotion_weights.happy out of range"),
    ("pacing", "fast", "pacing: received 'fast', expected 'clock' or 'asap'"),
    ("playout_delay_ms", 79.0, "playout_delay_ms out of range"),
    ("publish_rate_hz", 60.0, "publish_rate_hz out of range"),
    ("smoothing_ms", 501.0, "smoothing_ms out of range"),
    ("seed", -1, "seed out of range"),
    ("steps", 17, "steps out of range"),
    ("steps", 3, "steps: 3 is not what this model offers"),
    ("live_share", 1.5, "live_share out of range Min: 0.0, Max: 1.0"),
    ("articulation", 2.1, "articulation out of range Min: 0.5, Max: 2.0"),
    ("model", "other", "read-only parameter"),
    ("audio_type", "std_msgs/msg/Int16MultiArray", "read-only parameter"),
    ("autostart", False, "read-only parameter"),
]

ACCEPTED: list[tuple[str, Any, str, Any]] = [
    ("emotion", "happy", "emotion", "happy"),
    ("emotion", "live", "emotion", "live"),
    ("identity", "live", "identity", "live"),
    ("intensity", 1.5, "intensity", 1.5),
    ("gain.upper", 0.5, "gain_upper", 0.5),
    ("gain.jawOpen", 0.25, "gains", {"jawOpen": 0.25}),
    ("offset.mouthPucker", 0.25, "offsets", {"mouthPucker": 0.25}),
    ("emotion_weights.sad", 0.75, "emotion_weights", {"sad": 0.75}),
    ("smoothing_ms", 60.0, "smoothing_ms", 60.0),
    ("blink", False, "blink", False),
    ("blink_rate_hz", 0.5, "blink_rate_hz", 0.5),
    ("idle", False, "idle", False),
    ("live_time_constant_s", 2.0, "live_time_constant_s", 2.0),
    ("live_share", 0.5, "live_share", 0.5),
    ("articulation", 1.0, "articulation", 1.0),
    ("steps", 2, "steps", 2),
    ("seed", 7, "seed", 7),
]


def set_one(talker_node: Any, name: str, value: Any) -> Any:
    return talker_node.set_parameters([Parameter(name, value=value)])[0]


def test_accepted_values_reach_the_talker_and_refused_ones_say_why() -> None:
    with node() as talker_node:
        for name, value, field, expected in ACCEPTED:
            result = set_one(talker_node, name, value)
            assert result.successful, (name, result.reason)
            assert getattr(talker_node.talker.settings, field) == expected
        before = talker_node.talker.settings
        for name, value, reason in REFUSED:
            result = set_one(talker_node, name, value)
            assert not result.successful, name
            assert reason in result.reason
            assert talker_node.get_parameter(name).value != value
        assert talker_node.talker.settings == before


def test_whole_numbers_are_taken_for_doubles() -> None:
    """As YAML and `ros2 param set` write them; the parameter stays a double, whoever reads it."""
    with node(playout_delay_ms=200, intensity=2, gain__jawOpen=3) as talker_node:
        assert talker_node.parameters.values()["playout_delay_ms"] == 200.0
        assert talker_node.talker.settings.gains == {"jawOpen": 3.0}
        for name, value in (("intensity", 1), ("playout_delay_ms", 300), ("gain.jawOpen", 0), ("blink_rate_hz", 1)):
            assert set_one(talker_node, name, value).successful, name
        assert talker_node.talker.settings.intensity == 1.0
        for name in ("intensity", "playout_delay_ms", "gain.jawOpen", "blink_rate_hz"):
            assert talker_node.get_parameter(name).type_ == Parameter.Type.DOUBLE
            assert talker_node.describe_parameter(name).type == Parameter.Type.DOUBLE.value
        for wrong, given, reason in (
            ("intensity", 3, "Parameter intensity out of range. Min: 0.0, Max: 2.0, value: 3.0"),
            ("intensity", "much", "intensity: received 'much', expecting type 'DOUBLE'"),
            ("intensity", True, "intensity: received True, expecting type 'DOUBLE'"),
            ("playout_delay_ms", 7, "playout_delay_ms out of range"),
        ):
            result = set_one(talker_node, wrong, given)
            assert not result.successful and reason in result.reason
        assert not talker_node.set_parameters([Parameter("intensity", Parameter.Type.NOT_SET)])[0].successful
        assert talker_node.get_parameter("intensity").value == 1.0
        assert talker_node.describe_parameter("intensity").type == Parameter.Type.DOUBLE.value


def test_values_that_nobody_takes_are_said(listener: Listener) -> None:
    with node(emotoin="happy", gain__jawopen=0.5, emotion_weights__sad=0.5, emotion_weights__hapy=0.5):
        line = listener.logged("parameters that are not known here and not used")
        assert "emotoin (did you mean emotion?)" in line
        assert "gain.jawopen (did you mean gain.jawOpen?)" in line
        assert "emotion_weights.hapy (did you mean emotion_weights.happy?)" in line
        assert "emotion_weights.sad" not in line


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-r", "bad:="], "cannot start: failed to initialize rcl: Couldn't parse remap rule: '-r bad:='."),
        (["--log-level", "loud"], "Couldn't parse log level: '--log-level loud'. Error: Argument does not use a valid"),
        (
            ["--params-file", "nowhere.yaml"],
            "Couldn't parse params file: '--params-file nowhere.yaml'. Error: Error open",
        ),
        (["--params-file", "{bad}"], "Error: Sequences can only be values and not keys in params. Error at line 2"),
        (["-r", "__node:=a b"], "Couldn't parse remap rule: '-r __node:=a b'"),
    ],
)
@pytest.mark.parametrize("module", ["talker_node", "sink_node"])
def test_a_bad_command_line_gives_one_line_of_ours(
    tmp_path: Path, module: str, arguments: list[str], expected: str
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("a:\n  - b: [\n")
    given = [str(bad) if word == "{bad}" else word for word in arguments]
    command = [sys.executable, "-m", f"dtalker_ros.nodes.{module}", "--ros-args", *given]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    ours = [line for line in done.stderr.splitlines() if "[rcl]" not in line]  # rcl itself says that it failed
    assert len(ours) == 1 and "[FATAL]" in ours[0] and expected in ours[0], done.stderr
    assert "/src/" not in ours[0]


def test_names_of_the_model_are_described() -> None:
    with node() as talker_node:
        names = ", ".join(talker_node.talker.card.emotions)
        assert f"Names of dtalker: {names}." in talker_node.describe_parameter("emotion").description
        assert "Names of dtalker: default, " in talker_node.describe_parameter("identity").description
    with node(model="dtalker-open") as talker_node:
        description = talker_node.describe_parameter("emotion").description
        assert "Names of dtalker-open: neutral" in description
        assert "It has no listener: neither 'live' nor enrolled voices." in description


def test_setting_a_mapping_entry_back_removes_it() -> None:
    with node() as talker_node:
        assert set_one(talker_node, "gain.jawOpen", 0.5).successful
        assert set_one(talker_node, "gain.jawOpen", 1.0).successful
        assert talker_node.talker.settings.gains == {}


def test_several_at_once_are_all_or_none() -> None:
    with node() as talker_node:
        values = {"emotion": "happy", "identity": "nobody"}
        result = talker_node.parameters.set(values)
        assert not result.successful
        assert talker_node.talker.settings.emotion == "neutral"
        assert talker_node.get_parameter("emotion").value == "neutral"


def test_start_values_are_applied_and_checked() -> None:
    with node(emotion="angry", gain__jawOpen=0.5, emotion_weights__happy=0.5) as talker_node:
        settings = talker_node.talker.settings
        assert (settings.emotion, settings.gains, settings.emotion_weights) == (
            "angry",
            {"jawOpen": 0.5},
            {"happy": 0.5},
        )
    code, output = finish(start("talker_node", emotion="hapy"))
    assert code == 1
    assert "cannot configure: emotion: unknown name 'hapy'; did you mean 'happy'?" in output
    assert "Traceback" not in output


def test_every_parameter_is_described_with_its_range() -> None:
    with node() as talker_node:
        emotions = tuple(talker_node.talker.card.emotions)
        specs = (*NODE_PARAMETERS, *setting_parameters(emotions))
        for spec in specs:
            descriptor = talker_node.describe_parameter(spec.name)
            assert spec.doc.rstrip(".") in descriptor.description
            assert descriptor.read_only == spec.read_only
            ranges = [*descriptor.floating_point_range, *descriptor.integer_range]
            assert [(r.from_value, r.to_value) for r in ranges] == ([spec.range] if spec.range else [])
    names = {spec.name for spec in specs}
    assert {f"gain.{name}" for name in ARKIT_NAMES} | {f"offset.{name}" for name in ARKIT_NAMES} <= names
    assert {spec.setting[0] for spec in specs if spec.setting} == {spec.name for spec in setting_specs()}


@in_real_time
def test_a_changed_offset_shows_in_the_frames(listener: Listener) -> None:
    jaw = INDEX["jawOpen"]
    with node() as talker_node:
        listener.until(lambda: len(listener.frames) > 20, "frames")
        assert listener.frames[-1][1].weights[jaw] < 0.3
        assert set_one(talker_node, "offset.jawOpen", 0.6).successful
        listener.until(lambda: listener.frames[-1][1].weights[jaw] >= 0.6, "an open jaw")
        assert set_one(talker_node, "gain.lower", 0.0).successful
        others = [i for i in LOWER_FACE if i != jaw]
        listener.until(lambda: np.max(listener.frames[-1][1].weights[others]) < 1e-6, "a still lower face")
    listener.assert_grid()


@pytest.mark.parametrize("rate_hz", [25.0, 30.0])
@in_real_time
def test_publish_rate(listener: Listener, rate_hz: float) -> None:
    with node(publish_rate_hz=rate_hz):
        listener.until(lambda: len(listener.frames) > 2 * rate_hz, "frames")
        steps_s = np.diff([m.header.stamp.sec + m.header.stamp.nanosec / 1e9 for _, m in listener.frames])
        np.testing.assert_allclose(steps_s, 1 / rate_hz, atol=1e-6)
        assert set(np.diff([m.sequence for _, m in listener.frames]).tolist()) == {1}
        assert listener.infos[-1].frame_rate_hz == rate_hz


@in_real_time
def test_frame_id_and_delay_may_change(listener: Listener) -> None:
    with node(frame_id="left_robot") as talker_node:
        listener.until(lambda: listener.frames and listener.infos, "frames")
        assert listener.frames[0][1].header.frame_id == "left_robot"
        assert set_one(talker_node, "frame_id", "right_robot").successful
        assert set_one(talker_node, "playout_delay_ms", 250.0).successful
        listener.until(lambda: listener.frames[-1][1].header.frame_id == "right_robot", "the new name")
        listener.until(lambda: listener.infos[-1].playout_delay_ms == 250.0, "the new delay")
    listener.assert_grid()
