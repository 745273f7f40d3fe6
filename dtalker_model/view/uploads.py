"""Sounds that people drop on a page: few at a time, in bounded time and memory."""

import asyncio
import time
from pathlib import Path

from aiohttp import web

from dtalker_model.errors import AudioError
from dtalker_model.view.sound import LARGEST_BYTES, Sound, read_sound

AT_ONCE = 2
LONGEST_S = 60.0
"""For the bytes to arrive and to be decoded."""


class Uploads:
    """Reads requests that carry a sound."""

    def __init__(self) -> None:
        self._running = 0
        self._ended = False

    def end(self) -> None:
        """Decode no further."""
        self._ended = True

    async def read(self, request: web.Request) -> Sound:
        """The sound in the body of `request`; raises `web.HTTPException`."""
        if (request.content_length or 0) > LARGEST_BYTES:
            raise _too_large()
        if self._running >= AT_ONCE:
            raise web.HTTPServiceUnavailable(
                text=f"{AT_ONCE} sounds are being read already: try again", headers={"Connection": "close"}
            )
        self._running += 1
        try:
            return await asyncio.wait_for(self._read(request), LONGEST_S)
        except AudioError as error:
            raise web.HTTPUnsupportedMediaType(text=str(error)) from None
        except asyncio.TimeoutError:
            raise web.HTTPRequestTimeout(
                text=f"it took more than {LONGEST_S:.0f} s", headers={"Connection": "close"}
            ) from None
        finally:
            self._running -= 1

    async def _read(self, request: web.Request) -> Sound:
        end_s = time.monotonic() + LONGEST_S
        body = bytearray()
        async for part in request.content.iter_chunked(64 * 1024):
            body += part
            if len(body) > LARGEST_BYTES:
                raise _too_large()
        data, name = bytes(body), Path(request.query.get("name", "sound")).name[:80] or "sound"
        body.clear()
        return await asyncio.to_thread(read_sound, data, name, lambda: self._ended or time.monotonic() > end_s)


def _too_large() -> web.HTTPRequestEntityTooLarge:
    return web.HTTPRequestEntityTooLarge(
        LARGEST_BYTES, 0, text=f"a sound of more than {LARGEST_BYTES // 1_000_000} MB", headers={"Connection": "close"}
    )
