"""One parameter in a parameters file is set, and nothing else changes."""

import pytest
import yaml
from checkout import ROOT

from dtalker_model.errors import SettingError
from dtalker_ros.parameters.set_in_file import with_parameter

FILE = """\
# My robot.
/**:
  ros__parameters:
    playout_delay_ms: 80.0  # at least

dtalker:
  ros__parameters:
    emotion: happy

audio_player:
  ros__parameters:
    sound_offset_ms: -3.0  # by ear
    device: USB
"""


def test_a_value_is_replaced_where_it_stands() -> None:
    changed = with_parameter(FILE, "audio_player", "sound_offset_ms", 47.5)
    assert changed == FILE.replace("sound_offset_ms: -3.0", "sound_offset_ms: 47.5")
    changed = with_parameter(FILE, "/dtalker", "playout_delay_ms", 200.0)
    assert changed == FILE.replace("playout_delay_ms: 80.0", "playout_delay_ms: 200.0")


def test_a_value_is_added_where_its_node_has_none() -> None:
    without = FILE.replace("    sound_offset_ms: -3.0  # by ear\n", "")
    read = yaml.safe_load(with_parameter(without, "audio_player", "sound_offset_ms", 47.5))
    assert read["audio_player"]["ros__parameters"] == {"sound_offset_ms": 47.5, "device": "USB"}
    assert read["dtalker"] == yaml.safe_load(FILE)["dtalker"]
    read = yaml.safe_load(with_parameter(FILE, "other", "sound_offset_ms", 1.0))
    assert read["other"] == {"ros__parameters": {"sound_offset_ms": 1.0}} and "audio_player" in read


def test_a_file_is_begun() -> None:
    read = yaml.safe_load(with_parameter("", "audio_player", "sound_offset_ms", 47.5))
    assert read == {"audio_player": {"ros__parameters": {"sound_offset_ms": 47.5}}}


def test_the_shipped_file_takes_it() -> None:
    text = (ROOT / "launch" / "params.yaml").read_text()
    changed = with_parameter(with_parameter(text, "dtalker", "playout_delay_ms", 150.0), "p", "sound_offset_ms", -30.0)
    read, before = yaml.safe_load(changed), yaml.safe_load(text)
    assert read.pop("p") == {"ros__parameters": {"sound_offset_ms": -30.0}}
    assert read["/**"]["ros__parameters"].pop("playout_delay_ms") == 150.0
    assert before["/**"]["ros__parameters"].pop("playout_delay_ms") == 80.0
    assert read == before


def test_what_is_no_parameters_file_is_left_alone() -> None:
    with pytest.raises(SettingError, match="no ros__parameters in it"):
        with_parameter("joints: []\n", "audio_player", "sound_offset_ms", 1.0)
