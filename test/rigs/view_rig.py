"""Rig of the live page's tests: a server around a real talker, a plain socket, and a viewer that is no browser."""

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

aiohttp = pytest.importorskip("aiohttp", reason="needs the extra [view] (aiohttp)")

# isort: split

import dtalker_model  # noqa: E402
from dtalker_model.view.avatar_file import read_avatar  # noqa: E402
from dtalker_model.view.performer import Performer  # noqa: E402
from dtalker_model.view.server import Address, ViewServer  # noqa: E402
from dtalker_model.view.sound import read_sound  # noqa: E402
from dtalker_model.view.wire import HEADER  # noqa: E402

WAIT_S = 30.0
LOCAL = Address()


@dataclass
class Rig:
    """A served performer."""

    performer: Performer
    server: ViewServer

    def ask(self, request: str | bytes, headers: dict[str, str] | None = None) -> bytes:
        """Everything that comes back for raw bytes; a str is a request line, and gets a Host header and an end."""
        if isinstance(request, str):
            fields = {"Host": f"127.0.0.1:{self.server.port}", "Connection": "close", **(headers or {})}
            lines = [f"{request} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
            request = ("\r\n".join(lines) + "\r\n\r\n").encode()
        with socket.create_connection(("127.0.0.1", self.server.port), WAIT_S) as connection:
            connection.settimeout(WAIT_S)
            connection.sendall(request)
            return b"".join(iter(lambda: _received(connection), b""))

    def status(self, request: str | bytes, headers: dict[str, str] | None = None) -> int:
        """The status code of the answer."""
        return int(self.ask(request, headers).split(b" ", 2)[1])


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1 << 16)
    except ConnectionResetError:
        return b""


@contextmanager
def served(sound: Path | None = None, address: Address = LOCAL, **settings: Any) -> Iterator[Rig]:
    """A performer with the shipped model and `sound`, served on a free port."""
    performer = Performer(dtalker_model.load(**settings), read_sound(sound, sound.name) if sound else None)
    with ViewServer(performer, read_avatar(), address) as server:
        yield Rig(performer, server)
    performer.close()


@dataclass
class Client:
    """A viewer: what it received, by type."""

    socket: Any
    frames: list[tuple[int, int, float, np.ndarray]] = field(default_factory=list)
    """Stream, sequence, time in s, weights."""
    head: np.ndarray = field(default_factory=lambda: np.zeros(5, np.float32))
    """Of the newest frame, rad."""
    texts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    async def until(self, condition: Callable[[], Any], wait_s: float = WAIT_S) -> Any:
        """Receive until `condition` holds; fails when that takes too long."""
        end_s = time.monotonic() + wait_s
        while not (result := condition()):
            message = await self.socket.receive(timeout=max(end_s - time.monotonic(), 0.01))
            assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), f"closed: {message}"
            self.take(message)
        return result

    def take(self, message: Any) -> None:
        """Sort a message in."""
        if message.type == aiohttp.WSMsgType.BINARY:
            _, stream, sequence, _, time_s = HEADER.unpack_from(message.data)
            values = np.frombuffer(message.data, "<f4", offset=HEADER.size)
            assert len(values) == 57
            self.frames.append((stream, sequence, time_s, values[:52]))
            self.head = values[52:]
        else:
            text = json.loads(message.data)
            self.texts.setdefault(text["type"], []).append(text)

    async def send(self, **fields: Any) -> None:
        """Send a request."""
        await self.socket.send_str(json.dumps(fields))

    @property
    def performing(self) -> str:
        """Kind of the stream that is on, as the server said last."""
        return str((self.texts.get("stream") or [{"kind": ""}])[-1]["kind"])

    def answer(self, number: int) -> dict[str, Any] | None:
        """The answer to request `number`, if it is there."""
        every = self.texts.get("applied", []) + self.texts.get("refused", [])
        return next((text for text in every if text["id"] == number), None)


def as_viewer(rig: Rig, body: Callable[..., Any], viewers: int = 1, **options: Any) -> Any:
    """Run the coroutine `body(*clients)` with so many connected viewers."""

    async def run() -> Any:
        async with aiohttp.ClientSession() as session:
            url = rig.server.url.replace("http", "ws").replace("/?", "/ws?").rstrip("/")
            url = url if "/ws?" in url else f"{url}/ws"
            sockets = [await session.ws_connect(url, **options) for _ in range(viewers)]
            result = await body(*map(Client, sockets))
            for opened in sockets:
                await opened.close()
            return result

    return asyncio.run(run())
