"""What the graph shows: audio, types, QoS, clocks, talkers."""

from dataclasses import replace

import pytest

from dtalker_ros.doctor.clocks import check_clocks_agree, check_simulated_time, check_system_clock
from dtalker_ros.doctor.finding import Finding, Level
from dtalker_ros.doctor.graph import check_audio, check_qos
from dtalker_ros.doctor.sights import Endpoint, Sights, Status, read, written
from dtalker_ros.doctor.talkers import check_talkers

INT16 = "std_msgs/msg/Int16MultiArray"
MICROPHONE = Endpoint("/microphone", "/audio", INT16)
EAR = Endpoint("/dtalker", "/audio", INT16)
FRAMES = Endpoint("/dtalker", "/blendshapes", "dtalker/msg/Blendshapes")
CLOCK_OF_BAG = Endpoint("/player", "/clock", "rosgraph_msgs/msg/Clock")
CLOCK_OF_TALKER = Endpoint("/dtalker", "/clock", "rosgraph_msgs/msg/Clock", reliable=False)
GOOD = Sights(
    topics={"/audio": [INT16]},
    talkers=("/dtalker",),
    audio={"/dtalker": "/audio"},
    publishers=(MICROPHONE, FRAMES),
    subscriptions=(EAR,),
    statuses={"/dtalker": Status(0, "hearing")},
)


def audio(sights: Sights) -> list[Finding]:
    return list(check_audio(sights))


def test_a_good_graph_is_good() -> None:
    findings = [
        *audio(GOOD),
        *check_qos(GOOD),
        *check_talkers(GOOD),
        *check_simulated_time(GOOD),
        *check_clocks_agree(GOOD),
    ]
    assert {finding.level for finding in findings} == {Level.OK}
    assert [finding.text for finding in findings] == [
        "/audio carries std_msgs/msg/Int16MultiArray, from /microphone",
        "/dtalker: hearing",
    ]


def test_sights_are_written_and_read() -> None:
    assert read(written(GOOD)) == GOOD


def test_where_nobody_publishes_the_other_topics_are_named() -> None:
    nobody = replace(GOOD, publishers=())
    (finding,) = audio(nobody)
    assert (finding.level, finding.remedy) == (Level.WARN, "start the microphone or the speech")
    (finding,) = audio(replace(nobody, topics={"/mic/audio": ["audio_common_msgs/msg/AudioStamped"]}))
    assert "topics that may carry audio: /mic/audio (audio_common_msgs/msg/AudioStamped)" in finding.text
    assert finding.remedy == "Choose one: audio:=TOPIC"


def test_a_type_that_cannot_be_heard_is_an_error() -> None:
    reason = "message type x/msg/Y is not known here (no module): source the workspace that has x"
    (finding,) = audio(replace(GOOD, refusals={INT16: reason}))
    assert (finding.level, finding.remedy) == (Level.ERROR, "source the workspace that has x")


def test_several_publishers_are_told() -> None:
    two = replace(GOOD, publishers=(MICROPHONE, replace(MICROPHONE, node="/tts")))
    assert [finding.level for finding in audio(two)] == [Level.OK, Level.WARN]
    assert "/audio has 2 publishers: /microphone, /tts" in audio(two)[1].text


@pytest.mark.parametrize(
    ("publisher", "subscription", "text"),
    [
        (MICROPHONE, EAR, ""),
        (MICROPHONE, replace(EAR, reliable=False), ""),
        (replace(MICROPHONE, latched=True), EAR, ""),
        (replace(MICROPHONE, reliable=False), EAR, "best effort is offered, reliable is asked for"),
        (MICROPHONE, replace(EAR, latched=True), "transient local is asked for"),
        (
            replace(MICROPHONE, type="x/msg/Y"),
            EAR,
            "it sends x/msg/Y, and std_msgs/msg/Int16MultiArray is subscribed to",
        ),
        (FRAMES, replace(FRAMES, node="/unity", latched=True), "/unity does not hear /dtalker on /blendshapes"),
    ],
)
def test_who_does_not_hear_whom(publisher: Endpoint, subscription: Endpoint, text: str) -> None:
    findings = list(check_qos(replace(GOOD, publishers=(publisher,), subscriptions=(subscription,))))
    assert [finding.level for finding in findings] == ([Level.ERROR] if text else [])
    assert all(text in finding.text and finding.remedy for finding in findings)


@pytest.mark.parametrize(
    ("publishers", "subscriptions", "messages", "level", "text"),
    [
        ((), (CLOCK_OF_TALKER,), 0, Level.ERROR, "/dtalker has use_sim_time, and nobody publishes /clock"),
        ((CLOCK_OF_BAG,), (CLOCK_OF_TALKER,), 0, Level.WARN, "stands still"),
        ((CLOCK_OF_BAG,), (), 50, Level.WARN, "/clock is published, and /dtalker goes by the machine's"),
        ((CLOCK_OF_BAG,), (CLOCK_OF_TALKER,), 50, None, ""),
        ((), (), 0, None, ""),
    ],
)
def test_simulated_time(
    publishers: tuple[Endpoint, ...],
    subscriptions: tuple[Endpoint, ...],
    messages: int,
    level: Level | None,
    text: str,
) -> None:
    sights = replace(GOOD, publishers=publishers, subscriptions=subscriptions, clock_messages=messages)
    findings = list(check_simulated_time(sights))
    assert [finding.level for finding in findings] == ([] if level is None else [level])
    assert all(text in finding.text and finding.remedy for finding in findings)


def test_the_machine_s_clock() -> None:
    assert check_system_clock(1_795_000_000.0, 0.0).level == Level.OK
    assert "was never set" in check_system_clock(86_400.0, 0.0).text
    stepped = check_system_clock(1_795_000_000.0, -1.5)
    assert stepped.level == Level.WARN and "-1.50 s" in stepped.text


def test_clocks_of_two_machines() -> None:
    apart = replace(GOOD, statuses={"/dtalker": Status(0, "hearing", ahead_s=-2.0)})
    (finding,) = check_clocks_agree(apart)
    assert finding.level == Level.WARN and "-2.00 s ahead of ours" in finding.text
    assert list(check_clocks_agree(replace(apart, subscriptions=(CLOCK_OF_TALKER,)))) == []


@pytest.mark.parametrize(
    ("changes", "levels", "text"),
    [
        ({"talkers": ()}, [Level.WARN], "none is to be seen"),
        ({"statuses": {}}, [Level.WARN], "/dtalker is there and says nothing"),
        ({"statuses": {"/dtalker": Status(1, "hearing; the audio is clipped")}}, [Level.WARN], "the audio is clipped"),
        ({"statuses": {"/dtalker": Status(2, "broken")}}, [Level.ERROR], "broken"),
        ({"talkers": ("/dtalker", "/dtalker")}, [Level.WARN, Level.OK], "2 are called /dtalker"),
    ],
)
def test_talkers(changes: dict[str, object], levels: list[Level], text: str) -> None:
    findings = list(check_talkers(replace(GOOD, **changes)))  # type: ignore[arg-type]
    assert [finding.level for finding in findings] == levels
    assert text in findings[0].text
