"""What strangers and floods do to the page's server: bounded log, connections, uploads and memory; a clean end."""

import asyncio
import contextlib
import gc
import itertools
import logging
import socket
import struct
import threading
import time
import urllib.parse
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sound_rig import sound, tone, with_sizes
from view_rig import WAIT_S, Client, Rig, aiohttp, as_viewer, served

# isort: split

from dtalker_model.errors import AudioError
from dtalker_model.hearing.sound_check import CANCELLED, CLIPPED
from dtalker_model.view import door, log, uploads
from dtalker_model.view import sound as view_sound
from dtalker_model.view.allowance import AT_ONCE
from dtalker_model.view.avatar_file import read_avatar
from dtalker_model.view.server import Address, ViewerError, ViewServer
from dtalker_model.view.sound import read_sound


@pytest.fixture
def rig() -> Iterator[Rig]:
    with served() as opened:
        yield opened


def frames_come(rig: Rig) -> bool:
    """Whether a new viewer gets frames."""

    async def body(client: Client) -> bool:
        await client.until(lambda: len(client.frames) > 3)
        return True

    return bool(as_viewer(rig, body))


def posted(body: bytes, name: str = "x.wav") -> bytes:
    """A request that carries a sound."""
    head = f"POST /sound?name={urllib.parse.quote(name)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize("path", ["/%1b[31mred", "/x%0adtalker:%20forged%20line", "/%e2%80%aegnp", "/%c2%9b2J"])
def test_a_foreign_path_cannot_write_into_the_terminal(rig: Rig, path: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "dtalker.view"):
        assert rig.status(f"GET {path}") == 404
    (line,) = [record.getMessage() for record in caplog.records if record.name == "dtalker.view"]
    assert line.startswith("refused GET '/") and line.isprintable()


def test_of_one_kind_a_log_has_no_more_than_a_person_reads(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = log.OneLineEach()
    logger = logging.getLogger("dtalker.test.quiet")
    logger.addFilter(quiet)
    with caplog.at_level(logging.WARNING, logger.name):
        for number in range(5000):
            logger.warning("refused %d", number)
        logger.warning("another kind")
        monkeypatch.setattr(log, "PERIOD_S", 0.0)
        logger.warning("refused %d", 5000)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == log.LINES + 2
    assert lines[-1] == f"refused 5000 ({5000 - log.LINES} more like this)"


def test_a_viewer_that_floods_is_cut_off_and_starves_nobody(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    async def body(flood: Client, other: Client) -> None:
        await other.until(lambda: other.frames)
        for number in itertools.count():
            if flood.socket.closed or number > 50 * AT_ONCE:
                break
            with contextlib.suppress(ConnectionError):
                await flood.send(type="set", id=number, changes={"no": 1})
            await asyncio.sleep(0)
        while (message := await flood.socket.receive(timeout=WAIT_S)).type != aiohttp.WSMsgType.CLOSE:
            assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), message
        assert message.data == aiohttp.WSCloseCode.POLICY_VIOLATION
        begun_s, count = time.monotonic(), len(other.frames)
        await other.until(lambda: len(other.frames) > count + 50)
        assert time.monotonic() - begun_s < 4.0

    with caplog.at_level(logging.WARNING, "dtalker.view"):
        as_viewer(rig, body, viewers=2, autoclose=False)
    assert "cut off, it sends too much" in caplog.text
    assert len(caplog.records) < 10 * log.LINES  # without a bound: some thousand a second


def test_the_face_goes_on_whatever_the_pages_ask_for(rig: Rig) -> None:
    """Requests that keep the performer busy all the time: its ticks come first."""

    async def body(client: Client) -> None:
        await client.until(lambda: client.frames)
        busy = threading.Event()

        def work() -> None:
            time.sleep(0.005)
            if not busy.is_set():
                rig.performer._later(7, work)

        for _ in range(20):
            rig.performer._later(7, work)
        await client.until(lambda: rig.performer._requests.qsize() > 10)
        count = len(client.frames)
        await client.until(lambda: len(client.frames) > count + 30)
        assert rig.performer._requests.qsize() > 10
        busy.set()

    as_viewer(rig, body)


def test_a_connection_that_asks_for_nothing_is_closed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(door, "HEADER_S", 0.5)
    with served() as rig, caplog.at_level(logging.WARNING, "dtalker.view"):
        for begin in (b"", b"GET / HTTP/1.1\r\nHost: local"):
            with socket.create_connection(("127.0.0.1", rig.server.port), WAIT_S) as connection:
                connection.settimeout(WAIT_S)
                connection.sendall(begin)
                with contextlib.suppress(ConnectionResetError):
                    assert connection.recv(100) == b""
        assert frames_come(rig)
    assert "asked for nothing within" in caplog.text


def test_idle_connections_make_room_for_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(door, "MOST_CONNECTIONS", 10)

    async def body(client: Client) -> None:
        held = [socket.create_connection(("127.0.0.1", small.server.port), WAIT_S) for _ in range(60)]
        assert (await asyncio.to_thread(small.status, "GET /")) == 200
        connections = small.server._door._server.connections  # type: ignore[union-attr]
        await client.until(lambda: len([handler for handler in connections if door._is_open(handler)]) <= 10)
        count = len(client.frames)
        await client.until(lambda: len(client.frames) > count + 10)  # a page is no idle connection
        for connection in held:
            connection.close()

    with served() as small, caplog.at_level(logging.WARNING, "dtalker.view"):
        as_viewer(small, body)
    assert 0 < caplog.text.count("the oldest was closed") <= log.LINES


def test_sounds_are_read_two_at_a_time_and_in_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LONGEST_S", 2.0)
    with served() as rig:
        slow = []
        for _ in range(2):
            connection = socket.create_connection(("127.0.0.1", rig.server.port), WAIT_S)
            connection.settimeout(WAIT_S)
            connection.sendall(posted(bytes(1000))[:-900])
            slow.append(connection)
        while rig.server._uploads._running < 2:
            time.sleep(0.01)
        refused = rig.ask(posted(sound("WAV")))
        assert refused.startswith(b"HTTP/1.1 503") and b"2 sounds are being read already" in refused
        for connection in slow:
            assert connection.recv(1000).startswith(b"HTTP/1.1 408")
            connection.close()
        assert rig.ask(posted(sound("WAV"))).startswith(b"HTTP/1.1 200")


def flac_header(frames: int, channels: int, rate_hz: int) -> bytes:
    """A FLAC file that claims to be so long, and ends there."""
    fields = rate_hz << 44 | (channels - 1) << 41 | 15 << 36 | frames
    info = struct.pack(">HH", 4096, 4096) + bytes(6) + fields.to_bytes(8, "big") + bytes(16)
    return b"fLaC\x80\x00\x00\x22" + info


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (flac_header(600 * 192_000, 8, 192_000), r"921,600,000 samples in 8 channel\(s\), at most 115,200,000"),
        (flac_header(700 * 16_000, 1, 16_000), "700 s long, at most 600 s"),
        (flac_header(100, 1, 200_000), "sample rate must be a whole number"),
        (sound("WAV", pcm=np.zeros((10, 65))), "65 channels, at most 64"),
    ],
)
def test_what_would_blow_up_is_refused_before_it_is_decoded(data: bytes, fault: str) -> None:
    begun_s = time.monotonic()
    with pytest.raises(AudioError, match=fault):
        read_sound(data, "bomb")
    assert time.monotonic() - begun_s < 2.0


def test_what_does_not_tell_its_length_is_counted_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view_sound, "MOST_SAMPLES", 5_000)
    data = bytearray(sound("FLAC"))
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    for streamed in (bytes(data), with_sizes(sound("WAV"), 0, 0)):
        with pytest.raises(AudioError, match="at most 5,000"):
            read_sound(streamed, "bomb")


def test_a_sound_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(AudioError, match="takes too long"):
        read_sound(sound("WAV"), "slow", lambda: True)


def test_a_float_file_is_as_loud_as_its_16_bit_twin() -> None:
    twins = [read_sound(sound("WAV", subtype), "x") for subtype in ("PCM_16", "FLOAT", "DOUBLE", "PCM_24")]
    for twin in twins[1:]:
        np.testing.assert_allclose(twin.pcm, twins[0].pcm, atol=1)
        np.testing.assert_allclose(twin.peaks, twins[0].peaks, atol=0.001)


def test_what_the_mix_to_mono_hides_is_told() -> None:
    pcm = tone(1.5)
    sounds = {
        CANCELLED: np.stack([pcm, -pcm], axis=1),
        CLIPPED: np.stack([np.clip(9 * pcm, -1, 1), 0 * pcm], axis=1),
    }
    for fault, stereo in sounds.items():
        assert read_sound(sound("WAV", pcm=stereo), "x").faults == (fault,)
    assert read_sound(sound("WAV"), "x").faults == ()


@pytest.mark.parametrize(
    "address",
    [
        Address("127.0.0.2"),
        Address("localhost"),
        Address("0.0.0.0"),
        Address("0.0.0.0", 0, "a+b & c#d=?/%25"),
        Address("0.0.0.0", 0, "schlüssel;,\"'"),
        Address("", 0, "x"),
        Address("::1"),
    ],
)
def test_the_printed_address_works(address: Address) -> None:
    try:
        with served(address=address) as rig:
            parts = urllib.parse.urlsplit(rig.server.url)
            target = f"{parts.path}?{parts.query}" if parts.query else parts.path
            request = f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()
            with socket.create_connection((parts.hostname, parts.port), WAIT_S) as connection:
                connection.settimeout(WAIT_S)
                connection.sendall(request)
                answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
            assert answer.startswith(b"HTTP/1.1 200"), answer[:300]
            cookies = [line for line in answer.split(b"\r\n") if line.startswith(b"Set-Cookie: ")]
            if parts.query:
                cookie = cookies[0].partition(b": ")[2].partition(b"; ")[0]
                again = b"GET /main.js HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: " + cookie + b"\r\n\r\n"
                with socket.create_connection((parts.hostname, parts.port), WAIT_S) as connection:
                    connection.settimeout(WAIT_S)
                    connection.sendall(again)
                    assert connection.recv(20).startswith(b"HTTP/1.1 200")
    except ViewerError as error:
        if address.host != "::1":
            raise
        pytest.skip(f"no IPv6 here: {error}")


def test_a_token_that_no_address_can_carry_is_refused() -> None:
    for token in ("a\nb", "\udce9", "a\x1b"):
        with pytest.raises(ViewerError, match="token: expected letters"):
            ViewServer(silent(), read_avatar(), Address("0.0.0.0", 0, token))


class Silent:
    """A backend that does nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: {} if name == "hello" else None


def silent() -> Any:
    return Silent()


def test_connections_that_come_while_the_server_ends_leave_nothing_behind() -> None:
    """Three threads that connect without pause left an open transport behind at 7 of 12 ends."""
    avatar = read_avatar()

    def knock(port: int, stop: threading.Event) -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1.0).close()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(6):
            stop = threading.Event()
            with ViewServer(silent(), avatar) as server:
                threads = [threading.Thread(target=knock, args=(server.port, stop)) for _ in range(3)]
                for thread in threads:
                    thread.start()
                while not server._loop.is_running() or not server._door._silent:
                    time.sleep(0.001)
            stop.set()
            for thread in threads:
                thread.join()
            del server
            gc.collect()
    assert [str(entry.message) for entry in caught if issubclass(entry.category, ResourceWarning)] == []
