"""The face viewer node: a talker's face and sound on the page, its parameters through the page."""

import asyncio
import json
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ros_rig import Listener, finish, listener, play, short_wav, start, talker

# isort: split

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


def test_changes_become_parameters() -> None:
    specs = {spec.name: spec for spec in setting_parameters(["happy", "sad"])}
    settings = Settings(emotion="mix", emotion_weights={"happy": 0.5}, gains={"jawOpen": 2.0})
    changes = {"emotion_weights": {"sad": 0.25}, "gains": {}, "gain_upper": 1.5}
    values = parameter_changes(changes, specs, settings)
    assert (values["emotion_weights.happy"], values["emotion_weights.sad"]) == (0.0, 0.25)
    assert (values["gain.jawOpen"], values["gain.upper"]) == (1.0, 1.5)
    assert not any(name.startswith("offset") for name in values)
