"""Datagrams to one receiver, who may come and go."""

import socket
import time
from typing import Any

from dtalker_model.errors import SettingError, SinkError

LONGEST_SILENCE_S = 10.0
"""A network that takes nothing for this long has failed; shorter outages are waited for."""

Address = tuple[str, int]


def parse_address(kind: str, target: str, default_port: int) -> Address:
    """``HOST``, ``HOST:PORT`` or ``[V6]:PORT`` as host and port; raises `SettingError`."""
    host, _, port = target.rpartition(":") if target.count(":") == 1 or target.startswith("[") else (target, "", "")
    if target.endswith("]"):
        host, port = target, ""
    try:
        number = int(port) if port else default_port
    except ValueError:
        number = 0
    host = host.strip("[]")
    if not host or not 1 <= number <= 65535:
        raise SettingError(f"sink {kind}: expected {kind}:HOST:PORT with a port of 1 to 65535, received {target!r}")
    return host, number


class Datagrams:
    """An open socket to `address`; raises `SinkError`."""

    def __init__(self, address: Address) -> None:
        host, port = address
        try:
            family, kind, protocol, _, to = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        except (OSError, UnicodeError) as error:
            raise SinkError(f"cannot find the host {host!r}: {error}") from error
        self._to: tuple[Any, ...] = to
        self._socket = socket.socket(family, kind, protocol)
        self._sent_s = time.monotonic()

    def send(self, data: bytes) -> None:
        """Send one datagram. Nobody listening is no error, nor is a short outage of the network."""
        try:
            self._socket.sendto(data, self._to)
            self._sent_s = time.monotonic()
        except OSError as error:
            if time.monotonic() - self._sent_s > LONGEST_SILENCE_S:
                raise SinkError(f"cannot send to {self._to[0]}: {error.strerror}: check the network") from error

    def close(self) -> None:
        self._socket.close()
