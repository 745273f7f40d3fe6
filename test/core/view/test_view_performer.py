"""The talker's thread behind the page: pace, settings, clips, and what the page is told."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from view_rig import Client, as_viewer, served

# isort: split

import dtalker_model
from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.errors import AudioError
from dtalker_model.settings import Settings
from dtalker_model.view.avatar_file import AvatarError, read_avatar
from dtalker_model.view.performer import SERVER
from dtalker_model.view.ros_text import ros_commands, ros_parameters, ros_yaml
from dtalker_model.view.sound import PEAKS, read_sound
from dtalker_model.view.wire import HEADER, MICROPHONE, to_json

REACH_S = 0.2
"""Within this a control reaches the engine."""
PACE_S = 3.0


def test_frames_come_at_fifty_a_second_at_rest() -> None:
    """In some 3 s of 30: at others the machine may have been busy; `test_view_performances` has the pace itself."""

    async def body(client: Client) -> None:
        await client.until(lambda: len(client.frames) > 20)
        begun_s, count = time.monotonic(), len(client.frames)
        arrived_s: list[float] = []

        def at_pace() -> bool:
            now_s = time.monotonic()
            arrived_s.extend([now_s] * (len(client.frames) - count - len(arrived_s)))
            lately = [at_s for at_s in arrived_s if at_s > now_s - PACE_S]
            return now_s - begun_s > PACE_S and 48 < len(lately) / PACE_S < 52

        await client.until(at_pace)

    with served() as rig:
        as_viewer(rig, body)


def test_a_clip_gives_the_frames_of_the_core_just_ahead_of_its_clock(demo_wav: Path) -> None:
    async def body(client: Client) -> tuple[list[Any], list[float]]:
        await client.send(type="play", id=1)
        await client.until(lambda: client.performing == "clip")
        stream, started_s = client.texts["stream"][-1]["stream"], time.monotonic()
        start = client.texts["stream"][-1]["position_s"]
        ahead: list[float] = []

        def enough() -> bool:
            if client.frames and client.frames[-1][0] == stream:
                ahead.append(client.frames[-1][2] - (time.monotonic() - started_s + start))
            return len([frame for frame in client.frames if frame[0] == stream]) >= 150

        await client.until(enough)
        return [frame for frame in client.frames if frame[0] == stream], ahead

    with served(demo_wav) as rig:
        frames, ahead = as_viewer(rig, body)
    talker = dtalker_model.load()
    sound = read_sound(demo_wav, "demo")
    expected = np.array([frame.weights for frame in talker.push(sound.pcm, sound.sample_rate_hz)][: len(frames)])
    np.testing.assert_allclose(np.array([frame[3] for frame in frames]), expected, atol=2e-4)
    np.testing.assert_allclose([frame[2] for frame in frames], np.arange(len(frames)) / 50, atol=1e-9)
    assert 0.05 < max(ahead) < 0.25, "on a busy machine some are late; test_view_performances has the pace itself"


def test_what_is_wrong_with_the_sound_is_a_notice_once_for_each_sound(tmp_path: Path, demo_wav: Path) -> None:
    pcm, rate_hz = soundfile.read(demo_wav)
    soundfile.write(path := tmp_path / "off.wav", pcm[: 2 * rate_hz] * 0.5 + 0.05, rate_hz)

    async def body(client: Client) -> None:
        for _ in range(2):  # the second time it is known
            await client.send(type="play", id=1)
            await client.until(lambda: client.performing == "clip")
            await client.until(lambda: client.performing == "rest")
        (notice,) = client.texts["notice"]
        assert notice["text"].startswith("the audio is off centre")
        rig.performer.take_sound(read_sound(path, "again"))
        await client.until(lambda: len(client.texts["notice"]) == 2)

    with served(path) as rig:
        as_viewer(rig, body)


def test_a_setting_reaches_the_engine_at_once_and_shows(demo_wav: Path) -> None:
    async def body(client: Client) -> float:
        await client.until(lambda: len(client.frames) > 20)
        sent_s = time.monotonic()
        await client.send(type="set", id=3, changes={"offset_lower": 0.5})
        answer = await client.until(lambda: client.answer(3))
        spent_s = time.monotonic() - sent_s
        assert answer["type"] == "applied"
        await client.until(lambda: client.frames[-1][1] >= answer["sequence"] + 2)
        assert client.frames[-1][3][17] > 0.45  # jawOpen
        settings = (await client.until(lambda: client.texts.get("settings")))[-1]
        assert settings["settings"]["offset_lower"] == 0.5
        assert "offset.lower: 0.5" in settings["yaml"]
        return spent_s

    with served(demo_wav) as rig:
        assert as_viewer(rig, body) < REACH_S


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"intensity": 3}, "out of range"),
        ({"emotion": "hapy"}, "did you mean 'happy'"),
        ({"emotoin": "happy"}, "unknown"),
        ({"gains": {"jawOpen": "x"}}, "expected a number"),
        ({"seed": 1.5}, "whole number"),
        ({"steps": 3}, "not what this model offers"),
        ({"blink": 1}, "true or false"),
    ],
)
def test_a_refused_setting_says_why(changes: dict[str, Any], reason: str) -> None:
    async def body(client: Client) -> None:
        await client.send(type="set", id=5, changes=changes)
        answer = await client.until(lambda: client.answer(5))
        assert (answer["type"], reason in answer["reason"]) == ("refused", True), answer

    with served() as rig:
        as_viewer(rig, body)


def test_a_clip_ends_in_rest_or_begins_again(demo_wav: Path) -> None:
    async def body(client: Client) -> None:
        await client.send(type="play", id=1, from_s=9.5)
        await client.until(lambda: client.performing == "clip")
        await client.until(lambda: client.performing == "rest")
        await client.send(type="loop", id=2, on=True)
        await client.send(type="play", id=3, from_s=9.5)
        await client.until(lambda: [text["kind"] for text in client.texts["stream"]].count("clip") >= 3)
        await client.send(type="stop", id=4)
        await client.until(lambda: client.performing == "rest")

    with served(demo_wav) as rig:
        as_viewer(rig, body)


def test_the_servers_microphone_comes_back_after_a_clip(demo_wav: Path) -> None:
    async def body(client: Client) -> None:
        for _ in range(2):
            await client.until(lambda: client.performing == "microphone")
            stream = client.texts["stream"][-1]["stream"]
            rig.performer.hear(SERVER, np.zeros(16_000, np.int16), 16_000)
            await client.until(lambda stream=stream: [frame for frame in client.frames if frame[0] == stream])  # type: ignore[misc]
            await client.send(type="play", id=1, from_s=9.8)
            await client.until(lambda: client.performing == "clip")

    with served(demo_wav) as rig:
        rig.performer.open_microphone()
        as_viewer(rig, body)


def test_nothing_to_play_is_said() -> None:
    async def body(client: Client) -> None:
        await client.send(type="play", id=1)
        assert "drop a sound" in (await client.until(lambda: client.texts.get("notice")))[-1]["text"]

    with served() as rig:
        as_viewer(rig, body)


def test_the_page_learns_the_model_and_every_setting() -> None:
    async def body(client: Client) -> None:
        about = (await client.until(lambda: client.texts.get("about")))[-1]
        card = dtalker_model.load().card
        assert (about["model"]["steps"], about["model"]["emotions"]) == (card.steps, list(card.emotions))
        assert about["model"]["step_counts"] == list(card.step_counts)
        assert {spec["name"] for spec in about["specs"]} == set(vars(Settings()))
        belief = (await client.until(lambda: client.texts.get("belief")))[-1]
        assert belief["speaking"] is False

    with served() as rig:
        as_viewer(rig, body)


def test_the_ros_text_uses_the_parameters_of_the_node() -> None:
    parameters = pytest.importorskip("dtalker_ros.parameters.parameters")
    settings = Settings(
        emotion="mix", emotion_weights={"happy": 0.5}, gain_upper=2.0, gains={"jawOpen": 1.5}, offsets={"jawOpen": 0.1}
    ).replace(offset_lower=0.1, offset_upper=-0.1, gain_lower=0.5, blink=False, seed=4, smoothing_ms=20.0, idle=False)
    known = {spec.name: spec for spec in parameters.setting_parameters(["happy"])}
    received = dict(ros_parameters(settings))
    assert set(received) <= set(known)
    assert all(type(value) is type(known[name].default) for name, value in received.items())
    assert parameters.setting_changes(received, known, Settings()) == {
        name: value
        for name, value in vars(settings).items()
        if value != getattr(Settings(), name) or name == "identity"
    }


def test_the_ros_text_reads_as_yaml_and_as_commands() -> None:
    yaml = pytest.importorskip("yaml")
    settings = Settings(emotion="happy", blink=False, gain_lower=1.5)
    read = yaml.safe_load(ros_yaml(settings))["/**"]["ros__parameters"]
    assert read == {"identity": "default", "emotion": "happy", "gain.lower": 1.5, "blink": False}
    assert "ros2 param set /dtalker gain.lower 1.5\n" in ros_commands(settings)


def test_a_sound_is_described(demo_wav: Path, tmp_path: Path) -> None:
    sound = read_sound(demo_wav, "demo")
    assert (len(sound.peaks), max(sound.peaks) <= 1) == (PEAKS, True)
    assert read_sound(sound.wav_header + sound.pcm.tobytes(), "again").pcm.tobytes() == sound.pcm.tobytes()
    with pytest.raises(AudioError, match="not a sound"):
        read_sound(b"hello", "x")
    with pytest.raises(AudioError, match="No such file"):
        read_sound(tmp_path / "no.wav", "no.wav")


def test_only_a_head_with_arkit_names_is_taken(tmp_path: Path) -> None:
    avatar = read_avatar()
    assert {ARKIT_NAMES[index] for index in avatar.morphs.values()} == set(ARKIT_NAMES)
    broken = tmp_path / "broken.glb"
    broken.write_bytes(avatar.path.read_bytes()[:1000])
    with pytest.raises(AvatarError, match="not a binary glTF"):
        read_avatar(broken)
    with pytest.raises(AvatarError, match="No such file"):
        read_avatar(tmp_path / "no.glb")
    head = avatar.path.read_bytes()
    (tmp_path / "strange.glb").write_bytes(head.replace(b'"targetNames"', b'"targetNamez"'))
    with pytest.raises(AvatarError, match="no ARKit blendshapes"):
        read_avatar(tmp_path / "strange.glb")


def test_messages_never_carry_what_json_lacks() -> None:
    assert to_json("x", value=float("nan"), many=[1.0, float("inf")]) == '{"type":"x","value":null,"many":[1.0,null]}'


def test_a_microphone_that_stops_sending_leaves_the_mouth_at_rest(demo_wav: Path) -> None:
    sound = read_sound(demo_wav, "demo")
    chunk = sound.sample_rate_hz // 50

    async def body(client: Client) -> None:
        await client.send(type="microphone", id=1, on=True)
        await client.until(lambda: client.performing == "microphone")
        stream = client.texts["stream"][-1]["stream"]

        def jaw() -> np.ndarray:
            return np.array([frame[3][17] for frame in client.frames if frame[0] == stream])

        sent = 0
        while sent < len(sound.pcm) - chunk and (len(jaw()) < 30 or jaw()[-1] < 0.08):
            await client.socket.send_bytes(
                HEADER.pack(MICROPHONE, 0, sound.sample_rate_hz, 0, 0.0) + sound.pcm[sent : sent + chunk].tobytes()
            )
            sent += chunk
            count = len(client.frames) if sent > 6 * chunk else -1
            await client.until(lambda count=count: len(client.frames) > count)  # type: ignore[misc]
        spoken, stopped_s = len(jaw()), time.monotonic()
        assert jaw()[-1] > 0.05
        await client.until(lambda: len(jaw()) > spoken + 8 and jaw()[-1] < 0.02)
        assert time.monotonic() - stopped_s < 1.5
        at_rest = spoken + int(np.argmax(jaw()[spoken:] < 0.02))
        assert at_rest - spoken <= 10  # 80 ms of look-ahead that were spoken already, and 100 ms
        await client.until(lambda: len(jaw()) > at_rest + 50)  # and the face goes on
        assert jaw()[at_rest:].max() < 0.05

    with served() as rig:
        as_viewer(rig, body)
