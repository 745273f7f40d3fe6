"""Who may ask: the Host and Origin headers (DNS rebinding, foreign pages) and, beyond this machine, a token."""

import hmac
import ipaddress
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Middleware

from dtalker_model.view.log import LOG

COOKIE = "dtalker_token"
LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_loopback(host: str) -> bool:
    """Whether `host` is reached from this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def new_token() -> str:
    """A token that nobody guesses, fit for an address."""
    return secrets.token_urlsafe(18)


@dataclass(frozen=True)
class Guard:
    """The rule of one server. `token` is None where only this machine can connect."""

    token: str | None
    headers: dict[str, str]
    """Sent with every answer."""
    host: str = "127.0.0.1"
    """Under which the server was asked for."""

    def refusal(self, request: web.Request) -> str | None:
        """Why `request` is refused, or None."""
        host = request.headers.get("Host", "")
        if self.token is None and not self._is_local(host):
            return f"Host {host[:80]!r} is not this machine"
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"{request.scheme}://{host}":
            return f"Origin {origin[:80]!r} is another page"
        if self.token is not None and not self._knows_token(request):
            return "the token is missing or wrong: open the address that was printed at the start"
        return None

    def _is_local(self, host: str) -> bool:
        """Whether the header `host` names this machine; a foreign page's own name may lead here, an address may not."""
        names = {*LOCAL_NAMES, self.host, f"[{self.host}]"}
        return host in names or (host.rpartition(":")[0] in names and host.rpartition(":")[2].isdecimal())

    def _knows_token(self, request: web.Request) -> bool:
        assert self.token is not None
        given = (request.query.get("token", ""), self.token), (request.cookies.get(COOKIE, ""), _cookie(self.token))
        return any(hmac.compare_digest(value.encode(errors="replace"), right.encode()) for value, right in given)

    @property
    def middleware(self) -> Middleware:
        """For `web.Application`: refuses, logs, and adds the headers."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            reason = self.refusal(request)
            if reason is None:
                response = await self._answered(request, handler)
            else:
                response = web.Response(status=403, text=f"refused: {reason}\n")
            if response.status >= 400:
                text = reason or response.reason
                LOG.warning("refused %s %.80r from %s: %s", request.method, request.path, request.remote, text)
            if not response.prepared:
                self._add_headers(request, response)
            return response

        return guard

    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as refusal:
            return web.Response(status=refusal.status, text=f"refused: {refusal.text}\n", headers=_allow(refusal))

    def _add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(self.headers)
        if self.token is not None and request.query.get("token") == self.token and response.status < 400:
            response.set_cookie(COOKIE, _cookie(self.token), httponly=True, samesite="Strict")


def _cookie(token: str) -> str:
    """The token without what a cookie cannot carry."""
    return quote(token, safe="")


def _allow(refusal: web.HTTPException) -> dict[str, str]:
    return {name: refusal.headers[name] for name in ("Allow", "Connection") if name in refusal.headers}
