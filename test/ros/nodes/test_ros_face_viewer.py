"""The face viewer node: a talker's face and sound on the page, its parameters through the page."""

import asyncio
import json
import re
import signal
import threading
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT
from ros_rig import Listener, finish, listener, play, short_wav, start, talker

# isort: split

from dtalker.msg import Blendshapes
from rcl_interfaces.srv import ListParameters
from sensor_msgs.msg import JointState
from std_msgs.msg import Int16MultiArray

aiohttp = pytest.importorskip("aiohttp", reason="needs the extra [view] (aiohttp)")

from dtalker_model.card import model_path, read_card  # noqa: E402
from dtalker_model.settings import Settings  # noqa: E402
from dtalker_model.view.wire import AUDIO, FRAME, HEADER  # noqa: E402
from dtalker_ros.parameters.parameters import setting_parameters  # noqa: E402
from dtalker_ros.parameters.remote_settings import parameter_changes  # noqa: E402

__all__ = ["listener", "short_wav"]
WAIT_S = 30.0


class Page:
    """A viewer in a thread of its own."""

    def __init__(self, address: str) -> None:
        self.texts: dict[str, list[dict[str, Any]]] = {}
        self.binary: list[tuple[int, float]] = []
        self._loop = asyncio.new_event_loop()
        self._socket: Any = None
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._read(address)))
        self._thread.start()

    async def _read(self, address: str) -> None:
        async with aiohttp.ClientSession() as session:
            self._socket = await session.ws_connect(address + "ws")
            async for message in self._socket:
                if message.type == aiohttp.WSMsgType.TEXT:
                    text = json.loads(message.data)
                    self.texts.setdefault(text["type"], []).append(text)
                elif message.type == aiohttp.WSMsgType.BINARY:
                    kind, _, _, _, time_s = HEADER.unpack_from(message.data)
                    self.binary.append((kind, time_s))

    def send(self, **fields: Any) -> None:
        asyncio.run_coroutine_threadsafe(self._socket.send_str(json.dumps(fields)), self._loop).result(WAIT_S)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._socket.close(), self._loop).result(WAIT_S)
        self._thread.join()
        self._loop.close()

    def last(self, kind: str, condition: Callable[[dict[str, Any]], Any] = bool) -> dict[str, Any] | None:
        """The newest text of `kind` for which `condition` holds."""
        return next((text for text in reversed(self.texts.get(kind, [])) if condition(text)), None)


def test_a_talkers_face_is_shown_and_steered(listener: Listener, short_wav: Path) -> None:
    with talker(listener):
        viewer = start("face_viewer_node", port=0)
        address = listener.logged("the face is at").split()[-1]
        page = Page(address)
        try:
            listener.until(lambda: len([kind for kind, _ in page.binary if kind == FRAME]) > 50, "frames on the page")
            about, card = page.last("about") or {}, read_card(model_path("dtalker"))
            assert about["source"] == "ros"
            assert (about["model"]["steps"], about["model"]["step_counts"]) == (card.steps, list(card.step_counts))
            listener.until(lambda: page.last("settings"), "the settings")
            page.send(type="set", id=1, changes={"emotion": "happy", "intensity": 1.5})
            listener.until(lambda: page.last("applied", lambda text: text["id"] == 1), "the answer")
            listener.until(lambda: page.last("settings", lambda t: t["settings"]["emotion"] == "happy"), "the change")
            page.send(type="set", id=2, changes={"emotion": "hapy"})
            refused = listener.until(lambda: page.last("refused", lambda text: text["id"] == 2), "the refusal")
            assert "did you mean 'happy'" in refused["reason"]
            page.send(type="play", id=3)
            listener.until(lambda: page.last("refused", lambda text: text["id"] == 3), "the refusal")
            play(listener, file=str(short_wav), min_subscribers=2)
            heard = listener.until(lambda: [time_s for kind, time_s in page.binary if kind == AUDIO], "sound")
            listener.until(
                lambda: max(time_s for kind, time_s in page.binary if kind == FRAME) > heard[0], "its frames"
            )
        finally:
            page.close()
            code, output = finish(viewer, signal.SIGINT)
        assert code == 0, output
        assert "Traceback" not in output, output


def test_a_talker_with_a_namespace_and_remappings_is_found(listener: Listener) -> None:
    """`-p talker:=/robot1/face` and nothing else."""
    remapped = ["-r", "__ns:=/robot1", "-r", "__node:=face", "-r", "blendshapes:=/faces/first", "-r", "audio:=/mic"]
    node = start("talker_node", None, remapped)
    viewer = start("face_viewer_node", port=0, talker="/robot1/face")
    page = Page(listener.logged("the face is at").split()[-1])
    try:
        listener.until(lambda: len([kind for kind, _ in page.binary if kind == FRAME]) > 20, "frames on the page")
        listener.until(lambda: page.last("settings"), "the settings")
        page.send(type="set", id=1, changes={"emotion": "sad"})
        listener.until(lambda: page.last("applied", lambda text: text["id"] == 1), "the answer")
        voice = listener.node.create_publisher(Int16MultiArray, "/mic", 10)
        loud = Int16MultiArray(data=array("h", [8000, -8000] * 800))
        listener.node.create_timer(0.1, lambda: voice.publish(loud))
        listener.until(lambda: any(kind == AUDIO for kind, _ in page.binary), "the sound that the talker hears")
    finally:
        page.close()
        ends = [finish(process, signal.SIGINT) for process in (viewer, node)]
    assert [code for code, _ in ends] == [0, 0], ends


def test_what_the_talker_warns_of_is_a_notice_and_nan_is_no_face(listener: Listener) -> None:
    with talker(listener, pacing="asap", audio_sample_rate_hz=16_000):
        viewer = start("face_viewer_node", port=0)
        page = Page(re.search(r"http\S+", listener.logged("the face is at"))[0])  # type: ignore[index]
        audio = listener.node.create_publisher(Int16MultiArray, "audio", 10)
        listener.until(audio.get_subscription_count, "the subscription to the audio")
        off_centre = Int16MultiArray(data=array("h", 16_000 * [1640]))
        timer = listener.node.create_timer(1.0, lambda: audio.publish(off_centre))
        notice = listener.until(lambda: page.last("notice"), "a notice")
        assert notice["text"].startswith("hearing; the audio is off centre")
        late = Page(re.search(r"http\S+", listener.logged("the face is at"))[0])  # type: ignore[index]
        listener.until(lambda: late.last("notice"), "a notice for a page that came later")
        listener.node.destroy_timer(timer)
        frames = listener.node.create_publisher(Blendshapes, "blendshapes", 10)
        listener.until(frames.get_subscription_count, "the subscription to the frames")
        frames.publish(Blendshapes(weights=[float("nan")] * 52))
        listener.logged("the frames hold NaN")
        for viewed in (page, late):
            assert len(viewed.texts["notice"]) == 1
            viewed.close()
        code, output = finish(viewer, signal.SIGINT)
        assert code == 0 and "Traceback" not in output, output


def test_the_page_follows_a_talker_that_was_started_anew(listener: Listener) -> None:
    first = start("talker_node", emotion="happy")
    viewer = start("face_viewer_node", port=0)
    page = Page(listener.logged("the face is at").split()[-1])
    try:
        listener.until(lambda: page.last("settings", lambda t: t["settings"]["emotion"] == "happy"), "its settings")
        first.kill()
        finish(first)
        page.send(type="set", id=7, changes={"emotion": "angry"})
        refused = listener.until(lambda: page.last("refused", lambda text: text["id"] == 7), "an answer for the dead")
        assert "did not answer within 3 s: is it still running?" in refused["reason"]
        second = start("talker_node", emotion="sad")
        try:
            shown = listener.until(
                lambda: page.last("settings", lambda t: t["settings"]["emotion"] == "sad"), "the new"
            )
            assert page.texts["settings"][-1] == shown
            page.send(type="set", id=8, changes={"emotion": "angry"})
            listener.until(lambda: page.last("applied", lambda text: text["id"] == 8), "the answer")
        finally:
            assert finish(second, signal.SIGINT)[0] == 0
    finally:
        page.close()
        assert finish(viewer, signal.SIGINT)[0] == 0


def test_the_token_is_no_secret_that_ros_tells(listener: Listener, tmp_path: Path) -> None:
    """Neither in /rosout nor in a parameter; one that is made up goes to the terminal alone."""
    viewer = start("face_viewer_node", port=0, host="0.0.0.0")
    listener.logged("the face is at http://")
    names = listener.call(ListParameters, "face_viewer/list_parameters").result.names
    code, output = finish(viewer, signal.SIGINT)
    assert code == 0
    (token,) = re.findall(r"the face, for other machines: http://\S+/\?token=(\S+)", output)
    assert not any(token in line for line in listener.logs)
    assert "token" not in names and "token_file" in names
    file = tmp_path / "token"
    file.write_text("what-nobody-guesses\n")
    viewer = start("face_viewer_node", port=0, host="0.0.0.0", token_file=str(file))
    listener.until(lambda: sum("the face is at" in line for line in listener.logs) == 2, "the second viewer")
    port = listener.logs[-1].rpartition(":")[2].strip("/") if "the face is at" in listener.logs[-1] else ""
    code, output = finish(viewer, signal.SIGINT)
    assert code == 0 and port
    assert "what-nobody-guesses" not in output + " ".join(listener.logs)


def test_a_token_file_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    for name, said in (("nowhere", "token_file: cannot read a token from"), ("empty", "token_file: the first line of")):
        code, output = finish(start("face_viewer_node", port=0, token_file=str(tmp_path / name)))
        assert code == 1 and said in output and "Traceback" not in output


def test_changes_become_parameters() -> None:
    specs = {spec.name: spec for spec in setting_parameters(["happy", "sad"])}
    settings = Settings(emotion="mix", emotion_weights={"happy": 0.5}, gains={"jawOpen": 2.0})
    changes = {"emotion_weights": {"sad": 0.25}, "gains": {}, "gain_upper": 1.5}
    values = parameter_changes(changes, specs, settings)
    assert (values["emotion_weights.happy"], values["emotion_weights.sad"]) == (0.0, 0.25)
    assert (values["gain.jawOpen"], values["gain.upper"]) == (1.0, 1.5)
    assert not any(name.startswith("offset") for name in values)


def test_a_robots_joints_are_shown(listener: Listener) -> None:
    pytest.importorskip("yaml", reason="pyyaml is not installed")
    viewer = start("face_viewer_node", port=0, head=str(ROOT / "launch" / "heads" / "five.yaml"))
    address = listener.logged("the face is at").split()[-1]
    page = Page(address)
    states = listener.node.create_publisher(JointState, "joint_states", 10)
    try:
        joints = listener.until(lambda: page.last("joints"), "the joints")["joints"]
        assert [joint["name"] for joint in joints] == ["neck_yaw", "neck_pitch", "eyes_yaw", "lids", "jaw"]
        assert joints[4] == {"name": "jaw", "low": 0.0, "high": 0.42, "neutral": 0.0, "unit": "rad"}
        listener.until(states.get_subscription_count, "the subscription")
        states.publish(JointState(name=["wheel", "jaw", "lids"], position=[9.0, 0.25, float("nan")]))
        listener.until(lambda: page.last("positions"), "positions")
        late = Page(address)
        shown = listener.until(lambda: late.last("positions"), "positions on a page that comes later")
        assert shown["positions"] == [None, None, None, None, 0.25]
        late.close()
    finally:
        page.close()
        code, output = finish(viewer, signal.SIGINT)
    assert code == 0 and "Traceback" not in output, output
    code, output = finish(start("face_viewer_node", port=0, head="none.yaml"))
    assert code == 1 and "head: cannot read none.yaml" in output and "Traceback" not in output
