"""Parameters: every one is described, changes take effect while the node runs, refusals say why and change nothing."""

from typing import Any

import numpy as np
import pytest
from node_rig import node
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
def test_publish_rate(listener: Listener, rate_hz: float) -> None:
    with node(publish_rate_hz=rate_hz):
        listener.until(lambda: len(listener.frames) > 2 * rate_hz, "frames")
        steps_s = np.diff([m.header.stamp.sec + m.header.stamp.nanosec / 1e9 for _, m in listener.frames])
        np.testing.assert_allclose(steps_s, 1 / rate_hz, atol=1e-6)
        assert set(np.diff([m.sequence for _, m in listener.frames]).tolist()) == {1}
        assert listener.infos[-1].frame_rate_hz == rate_hz


def test_frame_id_and_delay_may_change(listener: Listener) -> None:
    with node(frame_id="left_robot") as talker_node:
        listener.until(lambda: listener.frames and listener.infos, "frames")
        assert listener.frames[0][1].header.frame_id == "left_robot"
        assert set_one(talker_node, "frame_id", "right_robot").successful
        assert set_one(talker_node, "playout_delay_ms", 250.0).successful
        listener.until(lambda: listener.frames[-1][1].header.frame_id == "right_robot", "the new name")
        listener.until(lambda: listener.infos[-1].playout_delay_ms == 250.0, "the new delay")
    listener.assert_grid()
