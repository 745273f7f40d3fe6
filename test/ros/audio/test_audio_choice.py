"""Which of several types on one topic is heard, and which topics a hint names; without ROS."""

from types import SimpleNamespace

import pytest

from dtalker_ros.audio.audio_choice import PROVEN_S, QUIET_S, TRIAL_S, AudioChoice
from dtalker_ros.audio.audio_topics import carries_audio, hint

FLOATS, INTS, OWN = "std_msgs/msg/Float32MultiArray", "std_msgs/msg/Int16MultiArray", "my_msgs/msg/Sound"


def test_the_only_one_is_heard_and_waited_for() -> None:
    choice = AudioChoice()
    assert choice.choose([], 0.0) == ""
    assert choice.choose([INTS], 1.0) == INTS
    assert choice.choose([INTS], 1000.0) == INTS
    assert choice.choose([], 1001.0) == INTS  # it may return


def test_one_that_delivers_is_kept() -> None:
    choice = AudioChoice()
    choice.choose([FLOATS], 0.0)
    for tick in range(100):
        choice.note_message(tick / 10)
        assert choice.choose([INTS, FLOATS], tick / 10) == FLOATS


def test_one_that_went_quiet_gives_way_to_a_new_one() -> None:
    choice = AudioChoice()
    choice.choose([FLOATS], 0.0)
    choice.note_message(5.0)
    assert choice.choose([FLOATS, INTS], 5.0 + 0.9 * QUIET_S) == FLOATS
    assert choice.choose([FLOATS, INTS], 5.0 + QUIET_S) == INTS
    choice.note_message(6.5)
    assert choice.choose([FLOATS, INTS], 6.5 + 0.9 * PROVEN_S) == INTS


def test_one_that_ended_gives_way_at_once() -> None:
    choice = AudioChoice()
    choice.choose([FLOATS], 0.0)
    choice.note_message(5.0)
    assert choice.choose([INTS], 5.01) == INTS


def test_silent_ones_take_turns_and_a_proven_one_gets_most_of_the_time() -> None:
    choice = AudioChoice()
    choice.choose([FLOATS], 0.0)
    choice.note_message(0.0)
    heard = [choice.choose([FLOATS, INTS], tick / 10) for tick in range(600)]
    assert heard[int(10 * QUIET_S) + 1] == INTS
    assert heard[int(10 * (QUIET_S + TRIAL_S)) + 1] == FLOATS
    assert heard.count(FLOATS) > 2 * heard.count(INTS)


def test_known_types_come_before_others() -> None:
    assert AudioChoice().choose([OWN, INTS], 1.0) == INTS
    assert AudioChoice().choose([OWN], 1.0) == OWN


@pytest.mark.parametrize(
    ("message", "audio"),
    [
        (SimpleNamespace(data=[1, 2]), True),
        (SimpleNamespace(data=b""), True),
        (SimpleNamespace(header=None, audio=SimpleNamespace(data=b"")), True),
        (SimpleNamespace(header=None, audio=SimpleNamespace(audio_data=None, info=None)), True),
        (SimpleNamespace(data="text"), False),
        (SimpleNamespace(data=1.0), False),
        (SimpleNamespace(data=b"", encoding="rgb8"), False),
        (SimpleNamespace(pose=None), False),
    ],
)
def test_audio_is_told_by_its_fields(message: object, audio: bool) -> None:
    assert carries_audio(message) == audio


def test_the_hint_names_what_is_surely_audio_first() -> None:
    topics = [
        ("/a", [FLOATS]),
        ("/audio", [INTS]),
        ("/mic", ["audio_common_msgs/msg/AudioStamped"]),
        ("/text", ["std_msgs/msg/String"]),
    ]
    said = hint("/audio", topics)
    assert f"/mic (audio_common_msgs/msg/AudioStamped), /a ({FLOATS}). Choose one: audio:=TOPIC" in said
    assert "no other topic carries audio" in hint("/audio", topics[1:2])
    assert " and 4 more. " in hint("/audio", [(f"/t{i}", [INTS]) for i in range(12)])
