"""Who may be connected: so many at once, nobody who says nothing, and nobody when the server ends."""

import asyncio
import contextlib
import sys

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from aiohttp.web_protocol import RequestHandler

from dtalker_model.view.log import LOG

MOST_CONNECTIONS = 200
"""Beside 50 pages there is room for their files."""
FEWEST_CONNECTIONS = 20
BACKLOG = 50
"""Connections that may be taken in during one turn of the loop."""
QUEUE = 128
"""Connections that may wait to be taken in: those for which there is no room come in again a second later."""
OTHER_FILES = 64 + 2 * BACKLOG
"""What the process has open beside connections: its own files, those taken in and those closed during one turn. asyncio
logs a traceback for each connection for which there is no descriptor."""
HEADER_S = 10.0
"""Within this the first request must be complete."""
SETTLED_S = 0.05
"""Connections that come in one turn of the loop do not see each other yet; by now they do."""
ROUNDS = 5
"""Turns of the loop in which a connection that was taken in last becomes one that can be closed: taken, made, told."""


class Door:
    """Lets connections in to a `web.Server`."""

    def __init__(self) -> None:
        self._server: web.Server | None = None
        self._room = _room()
        self._silent: set[RequestHandler] = set()
        self._kept: set[RequestHandler] = set()

    async def open(self, server: web.Server, host: str, port: int) -> asyncio.Server:
        """Listen; raises `OSError` where the address cannot be had."""
        self._server = server
        listening = await asyncio.get_running_loop().create_server(self._connected, host, port, backlog=BACKLOG)
        for listener in listening.sockets:
            with listener.dup() as same:
                same.listen(QUEUE)
        return listening

    async def close(self, listening: asyncio.Server) -> None:
        """Listen no more. Whoever was taken in until now is known to the `web.Server` afterwards, which can end it."""
        loop = asyncio.get_running_loop()
        # A closed `asyncio.Server` fails to make the connections that it has taken in, and leaves their sockets open.
        for listener in listening.sockets:
            with contextlib.suppress(NotImplementedError):  # Windows
                loop.remove_reader(listener.fileno())
        for _ in range(ROUNDS):
            await asyncio.sleep(0)
        listening.close()

    def keep(self, request: web.Request) -> None:
        """The connection of `request` is a page: it lasts, and is not closed to make room."""
        self._kept.add(request.protocol)

    def release(self, request: web.Request) -> None:
        """Undo `keep`."""
        self._kept.discard(request.protocol)

    @property
    def middleware(self) -> Middleware:
        """For `web.Application`: notes who has asked for something."""

        @web.middleware
        async def noted(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._silent.discard(request.protocol)
            return await handler(request)

        return noted

    def _connected(self) -> RequestHandler:
        assert self._server is not None
        loop = asyncio.get_running_loop()
        self._make_room(1)
        loop.call_later(SETTLED_S, self._make_room, 0)
        handler = self._server()
        self._silent.add(handler)
        loop.call_later(HEADER_S, self._expect_request, handler)
        return handler

    def _make_room(self, more: int) -> None:
        """Close the oldest connections that are no pages, until there is room for `more`."""
        assert self._server is not None
        open_ones = [handler for handler in self._server.connections if _is_open(handler)]
        most = min(MOST_CONNECTIONS, self._room)
        too_many = len(open_ones) + more - most  # several where many came in one turn of the loop
        if too_many > 0:
            LOG.warning("more than %d connections: the oldest was closed", most)
            for handler in [handler for handler in open_ones if handler not in self._kept][:too_many]:
                _abort(handler)

    def _expect_request(self, handler: RequestHandler) -> None:
        if handler in self._silent:
            self._silent.discard(handler)
            if handler.transport is not None:
                LOG.warning("a connection that asked for nothing within %.0f s was closed", HEADER_S)
                _abort(handler)


def _room() -> int:
    """Connections for which this process has descriptors."""
    if sys.platform == "win32":
        return MOST_CONNECTIONS
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if limit == resource.RLIM_INFINITY else max(FEWEST_CONNECTIONS, limit - OTHER_FILES)


def _is_open(handler: RequestHandler) -> bool:
    """The `web.Server` goes on listing those that were closed until their tasks have ended."""
    return handler.transport is not None and not handler.transport.is_closing()


def _abort(handler: RequestHandler) -> None:
    if handler.transport is not None:
        handler.transport.abort()
