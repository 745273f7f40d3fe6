"""The page's server: HTTP and WebSocket in an asyncio thread, for this machine alone unless told otherwise."""

import asyncio
import contextlib
import threading
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import WebSocketError, WSMsgType, web

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.errors import DtalkerError
from dtalker_model.view.allowance import Allowance
from dtalker_model.view.avatar_file import Avatar
from dtalker_model.view.backend import Backend, Broadcast
from dtalker_model.view.door import Door
from dtalker_model.view.guard import Guard, is_loopback, new_token
from dtalker_model.view.hub import Hub, Viewer
from dtalker_model.view.log import LOG, bound_others
from dtalker_model.view.page_files import page_files, security_headers
from dtalker_model.view.sound import LARGEST_BYTES
from dtalker_model.view.uploads import Uploads
from dtalker_model.view.wire import MAX_MESSAGE_BYTES, MessageError, microphone_samples, parse, to_json

MOST_VIEWERS = 50
MOST_MISTAKES = 20
"""A page that sends more senseless messages is cut off."""
START_S = 10.0
LINGER_S = 0.3
"""How long a refused upload is still drained, so that the sender sees the answer."""
KEEP_ALIVE_S = 15.0
"""How long a connection is held for the next request."""
CLOSING_S = 0.05
"""What the last connections need to close."""
SOUND_BYTES = 256 * 1024
"""A sound is sent in pieces of this size."""
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
"""Hosts that stand for all of this machine's addresses, and one of them that can be opened."""


class ViewerError(DtalkerError):
    """The page cannot be served."""


@dataclass(frozen=True)
class Address:
    """Where to serve. `port` 0 takes a free one; `token` is made up where one is needed and none is given."""

    host: str = "127.0.0.1"
    port: int = 0
    token: str | None = None


LOCAL = Address()


class ViewServer:
    """Serves the page for one backend; a context manager. Raises `ViewerError` where the address cannot be had."""

    def __init__(self, backend: Backend, avatar: Avatar, address: Address = LOCAL) -> None:
        if address.token is not None and not address.token.isprintable():
            raise ViewerError(f"token: expected letters, digits and signs, received {address.token!r}")
        self._backend, self._avatar, self._address = backend, avatar, address
        self.token = address.token or (None if is_loopback(address.host) else new_token())
        self.port = address.port
        self._hub = Hub()
        self._guard = Guard(self.token, security_headers(), address.host)
        self._door, self._uploads = Door(), Uploads()
        self._files = page_files()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._failure: OSError | UnicodeError | None = None
        self._thread = threading.Thread(target=self._run, name="page server", daemon=True)

    @property
    def url(self) -> str:
        """The address to open, with the token where one is needed."""
        host = _EVERYWHERE.get(self._address.host, self._address.host)
        host = f"[{host.replace('%', '%25')}]" if ":" in host else host
        return f"http://{host}:{self.port}/" + (f"?token={quote(self.token, safe='')}" if self.token else "")

    @property
    def elsewhere(self) -> str:
        """What to say about `url` where the page is served on every address of this machine; else empty."""
        return "on other machines with this one's name in its place" if self._address.host in _EVERYWHERE else ""

    @property
    def viewers(self) -> int:
        """Pages that are open."""
        return len(self._hub.viewers)

    def __enter__(self) -> "ViewServer":
        bound_others()
        self._backend.connect(Broadcast(self._frame, self._state, self._answer))
        self._thread.start()
        if not self._ready.wait(START_S) or self._failure:
            raise ViewerError(f"cannot serve on {self._address.host}:{self._address.port}: {self._failure}")
        return self

    def __exit__(self, *exception: object) -> None:
        self._call(self._stop.set)
        self._thread.join(START_S)

    def _call(self, function: "object", *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server has ended
            self._loop.call_soon_threadsafe(function, *arguments)  # type: ignore[arg-type]

    def _frame(self, data: bytes) -> None:
        if self._hub.viewers:
            self._call(self._hub.frame, data)

    def _state(self, kind: str, text: str) -> None:
        if self._hub.viewers:
            self._call(self._hub.state, kind, text)

    def _answer(self, number: int, text: str) -> None:
        self._call(self._hub.answer, number, text)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except (OSError, UnicodeError) as error:  # UnicodeError: a host that is no name
            self._failure = error
        finally:
            self._ready.set()
            self._end_tasks()
            self._loop.close()

    def _end_tasks(self) -> None:
        """Connections that came while the server was closing."""
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(CLOSING_S))

    async def _serve(self) -> None:
        middlewares = [self._door.middleware, self._guard.middleware]
        app = web.Application(middlewares=middlewares, client_max_size=LARGEST_BYTES)
        app.router.add_get("/ws", self._socket)
        app.router.add_get("/avatar.glb", self._head)
        app.router.add_get("/avatar.json", self._head_names)
        app.router.add_get(r"/sound/{number:\d{1,9}}.wav", self._sound)
        app.router.add_post("/sound", self._upload, expect_handler=self._expect)
        app.router.add_get("/{path:.*}", self._file)
        runner = web.AppRunner(
            app, access_log=None, lingering_time=LINGER_S, shutdown_timeout=1.0, keepalive_timeout=KEEP_ALIVE_S
        )
        await runner.setup()
        assert runner.server is not None
        try:
            listening = await self._door.open(runner.server, self._address.host or "0.0.0.0", self._address.port)
            self.port = listening.sockets[0].getsockname()[1]
            self._ready.set()
            await self._stop.wait()
            self._uploads.end()
            await self._door.close(listening)
        finally:
            await runner.cleanup()

    async def _file(self, request: web.Request) -> web.StreamResponse:
        file = self._files.get(request.path)
        if file is None:
            raise web.HTTPNotFound(text="no such file")
        return web.FileResponse(file.path, headers={"Content-Type": file.content_type})

    async def _head(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(self._avatar.path, headers={"Content-Type": "model/gltf-binary"})

    async def _head_names(self, request: web.Request) -> web.Response:
        names = {"morphs": dict(self._avatar.morphs), "blendshapes": list(ARKIT_NAMES)}
        return web.json_response({"name": self._avatar.path.stem, **names})

    async def _sound(self, request: web.Request) -> web.StreamResponse:
        sound = self._backend.sound(int(request.match_info["number"]))
        if sound is None:
            raise web.HTTPNotFound(text="another sound is on by now")
        head, body = sound.wav_header, sound.pcm.astype("<i2", copy=False).data.cast("B")
        answer = web.StreamResponse(headers={**self._guard.headers, "Content-Type": "audio/wav"})
        answer.content_length = len(head) + len(body)
        await answer.prepare(request)
        await answer.write(head)
        for begin in range(0, len(body), SOUND_BYTES):
            await answer.write(bytes(body[begin : begin + SOUND_BYTES]))
        return answer

    async def _expect(self, request: web.Request) -> web.StreamResponse | None:
        """Answer ``Expect: 100-continue``: a file that is too large is never asked for."""
        if self._guard.refusal(request) is None and (request.content_length or 0) <= LARGEST_BYTES:
            assert request.transport is not None
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return None

    async def _upload(self, request: web.Request) -> web.Response:
        sound = await self._uploads.read(request)
        self._backend.take_sound(sound)
        return web.json_response({"url": sound.url})

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if self.viewers >= MOST_VIEWERS:
            raise web.HTTPServiceUnavailable(text=f"{MOST_VIEWERS} pages are open already")
        # Frames are small and hardly shrink; compressing them would cost more than all the rest.
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE_BYTES, heartbeat=20.0, compress=False)
        await socket.prepare(request)
        self._door.keep(request)
        viewer = Viewer(socket)
        self._hub.join(viewer)  # before the greeting is made, so that nothing that comes after it is missed
        for kind, text in self._backend.hello().items():
            viewer.put_state(kind, text)
        self._backend.joined(self.viewers)
        writer = asyncio.create_task(_written(viewer))
        try:
            await self._read(viewer, socket)
        finally:
            writer.cancel()
            self._door.release(request)
            self._hub.leave(viewer)
            self._backend.left(viewer.number, self.viewers)
        return socket

    async def _read(self, viewer: Viewer, socket: web.WebSocketResponse) -> None:
        mistakes, allowance = 0, Allowance()
        async for message in socket:
            try:
                if message.type == WSMsgType.TEXT:
                    allowed = allowance.take()
                    if allowed:
                        self._backend.request(viewer.number, parse(message.data))
                elif message.type == WSMsgType.BINARY:
                    pcm, rate_hz = microphone_samples(message.data)
                    allowed = allowance.take(len(pcm) / rate_hz)
                    if allowed:
                        self._backend.hear(viewer.number, pcm, rate_hz)
                else:
                    continue
                if not allowed:
                    LOG.warning("viewer %d: cut off, it sends too much", viewer.number)
                    await socket.close(code=1008, message=b"too many messages")
                    return
            except MessageError as error:
                mistakes += 1
                LOG.warning("viewer %d: refused a message: %s", viewer.number, error)
                viewer.put_answer(to_json("refused", id=0, reason=str(error)))
                if mistakes > MOST_MISTAKES:
                    await socket.close(code=1008, message=b"too many senseless messages")
        if isinstance(socket.exception(), WebSocketError):
            LOG.warning("viewer %d: cut off: %s", viewer.number, socket.exception())


async def _written(viewer: Viewer) -> None:
    with contextlib.suppress(ConnectionError):
        await viewer.write()
