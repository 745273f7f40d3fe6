"""The live page's server: what it serves, what it refuses, and many viewers at once."""

import asyncio
import itertools
import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from view_rig import WAIT_S, Client, Rig, aiohttp, as_viewer, served

# isort: split

from checkout import ROOT

from dtalker_model.view.hub import FRAMES, Hub, Viewer
from dtalker_model.view.server import Address, ViewerError
from dtalker_model.view.wire import HEADER, MAX_MESSAGE_BYTES, MICROPHONE

GIGABYTE = 1_000_000_000


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    wav = ROOT / "dtalker_model" / "data" / "demo.wav"
    with served(wav) as opened:
        yield opened


def alive(rig: Rig) -> bool:
    """Whether a new viewer still gets frames."""

    async def body(client: Client) -> bool:
        await client.until(lambda: len(client.frames) > 3)
        return True

    return bool(as_viewer(rig, body))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", b"text/html"),
        ("/main.js", b"text/javascript"),
        ("/style.css", b"text/css"),
        ("/vendor/three.module.min.js", b"text/javascript"),
        ("/vendor/LICENSE.txt", b"text/plain"),
        ("/avatar.glb", b"model/gltf-binary"),
        ("/avatar.json", b"application/json"),
    ],
)
def test_the_page_is_served_with_its_types_and_a_strict_policy(rig: Rig, path: str, kind: bytes) -> None:
    head, _, body = rig.ask(f"GET {path}").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"Content-Type: " + kind in head
    assert b"default-src 'none'" in head and b"X-Content-Type-Options: nosniff" in head
    assert len(body) > 100


@pytest.mark.parametrize(
    "path",
    [
        "/../../../etc/passwd",
        "/vendor/../../server.py",
        "/%2e%2e/%2e%2e/server.py",
        "/..%2f..%2fserver.py",
        "//etc/passwd",
        "/vendor",
        "/sound/999.wav",
        "/sound/..%2f1.wav",
        "/index.html%00.js",
    ],
)
def test_a_path_outside_the_page_is_refused(rig: Rig, path: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "dtalker.view"):
        assert rig.status(f"GET {path}") == 404
    assert "refused GET" in caplog.text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "", "127.0.0.1.evil.example:80"])
def test_a_foreign_host_is_refused(rig: Rig, host: str) -> None:
    assert rig.status("GET /", {"Host": host}) == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1"])
def test_a_foreign_origin_is_refused(rig: Rig, origin: str) -> None:
    assert rig.status("GET /ws", {"Origin": origin, "Upgrade": "websocket"}) == 403
    assert rig.status("POST /sound", {"Origin": origin, "Content-Length": "0"}) == 403


def test_the_own_origin_is_accepted(rig: Rig) -> None:
    assert rig.status("GET /", {"Origin": f"http://127.0.0.1:{rig.server.port}"}) == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
def test_other_methods_are_refused(rig: Rig, method: str) -> None:
    assert rig.status(f"{method} /", {"Content-Length": "0"}) == 405


def test_what_is_no_http_is_refused(rig: Rig) -> None:
    assert rig.ask(b"\x16\x03\x01 hello\r\n\r\n").startswith(b"HTTP/1.0 400")
    assert alive(rig)


def test_an_upload_of_a_gigabyte_is_refused_before_it_is_sent(rig: Rig) -> None:
    begun_s = time.monotonic()
    assert rig.status("POST /sound", {"Content-Length": str(GIGABYTE)}) == 413
    assert rig.status("POST /sound", {"Content-Length": str(GIGABYTE), "Expect": "100-continue"}) == 413
    assert time.monotonic() - begun_s < WAIT_S
    assert alive(rig)


def test_an_upload_that_does_not_tell_its_size_is_cut_off(rig: Rig) -> None:
    piece = b"%x\r\n%s\r\n" % (1_000_000, bytes(1_000_000))
    with socket.create_connection(("127.0.0.1", rig.server.port), WAIT_S) as connection:
        connection.sendall(b"POST /sound HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        with pytest.raises(ConnectionError):  # noqa: PT012
            for data in itertools.repeat(piece):
                connection.sendall(data)
    assert alive(rig)


def test_an_upload_that_is_no_sound_is_refused(rig: Rig) -> None:
    answer = rig.ask(
        b"POST /sound?name=x.wav HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"
    )
    assert answer.startswith(b"HTTP/1.1 415")
    assert b"x.wav: not a sound file" in answer


def test_an_uploaded_sound_is_spoken(demo_wav: Path) -> None:
    async def body(client: Client) -> None:
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{fresh.server.port}/sound?name=../../hello.wav"
            async with session.post(url, data=demo_wav.read_bytes()) as answer:
                assert answer.status == 200
        sound = (await client.until(lambda: client.texts.get("sound")))[-1]
        assert (sound["name"], round(sound["duration_s"])) == ("hello.wav", 10)
        await client.until(lambda: client.performing == "clip")
        assert fresh.ask(f"GET {sound['url']}").startswith(b"HTTP/1.1 200")

    with served() as fresh:
        as_viewer(fresh, body)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[]",
        "{}",
        '{"type": "explode"}',
        '{"type": "set"}',
        '{"type": "set", "id": "x", "changes": {"seed": 1}}',
        '{"type": "set", "id": 1, "changes": {}}',
        '{"type": "set", "id": 1, "changes": [1]}',
        '{"type": "play", "from_s": NaN}',
        '{"type": "play", "from_s": -1}',
        '{"type": "play", "file": "/etc/passwd"}',
        '{"type": "loop", "on": 1}',
        "[" * 10_000,
    ],
)
def test_a_malformed_message_is_refused_and_said_so(rig: Rig, text: str, caplog: pytest.LogCaptureFixture) -> None:
    async def body(client: Client) -> None:
        await client.socket.send_str(text)
        await client.until(lambda: client.texts.get("refused"))

    with caplog.at_level(logging.WARNING, "dtalker.view"):
        as_viewer(rig, body)
    assert "refused a message" in caplog.text


@pytest.mark.parametrize(
    "data", [b"", b"x", HEADER.pack(9, 0, 16_000, 0, 0.0) + b"xx", HEADER.pack(3, 0, 5, 0, 0.0) + b"xx"]
)
def test_a_malformed_piece_of_audio_is_refused(rig: Rig, data: bytes) -> None:
    async def body(client: Client) -> None:
        await client.socket.send_bytes(data)
        await client.until(lambda: client.texts.get("refused"))

    as_viewer(rig, body)


def test_a_huge_message_ends_its_connection_alone(rig: Rig) -> None:
    async def body(client: Client, other: Client) -> None:
        await client.socket.send_bytes(bytes(MAX_MESSAGE_BYTES + 1))
        while (message := await client.socket.receive(timeout=WAIT_S)).type != aiohttp.WSMsgType.CLOSE:
            assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT)
        assert message.data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
        count = len(other.frames)
        await other.until(lambda: len(other.frames) > count + 10)

    as_viewer(rig, body, viewers=2, autoclose=False)


def test_a_flood_of_nonsense_ends_the_connection(rig: Rig) -> None:
    async def body(client: Client) -> None:
        for _ in range(50):
            await client.socket.send_str("nonsense")
        while (message := await client.socket.receive(timeout=WAIT_S)).type != aiohttp.WSMsgType.CLOSE:
            pass
        assert message.data == aiohttp.WSCloseCode.POLICY_VIOLATION

    as_viewer(rig, body, autoclose=False)
    assert alive(rig)


def test_beyond_this_machine_a_token_is_needed() -> None:
    with served(address=Address("0.0.0.0", 0, "a-long-token")) as rig:
        assert rig.server.url.endswith("/?token=a-long-token")
        for path in ("/", "/?token=wrong", "/avatar.glb", "/ws", "/?token=%ff"):
            assert rig.status(f"GET {path}") == 403
        head = rig.ask("GET /?token=a-long-token")
        assert head.startswith(b"HTTP/1.1 200")
        assert b"dtalker_token=a-long-token; HttpOnly; Path=/; SameSite=Strict" in head
        assert rig.status("GET /main.js", {"Cookie": "dtalker_token=a-long-token"}) == 200
        assert rig.status("GET /main.js", {"Cookie": "dtalker_token=wrong"}) == 403
        assert alive(rig)


def test_a_token_is_made_up_where_none_is_given() -> None:
    with served(address=Address("0.0.0.0")) as rig, served(address=Address("0.0.0.0")) as other:
        assert rig.server.token and other.server.token
        assert rig.server.token != other.server.token
        assert rig.status("GET /") == 403


def test_a_taken_port_is_said(rig: Rig) -> None:
    with (
        pytest.raises(ViewerError, match=f"cannot serve on 127.0.0.1:{rig.server.port}"),
        served(address=Address(port=rig.server.port)),
    ):
        pass


def test_ten_viewers_get_every_frame(rig: Rig) -> None:
    async def body(*clients: Client) -> None:
        for client in clients:
            await client.until(lambda client=client: len(client.frames) >= 75)  # type: ignore[misc]
            sequence = [frame[1] for frame in client.frames]
            assert set(np.diff(sequence).tolist()) == {1}
            assert all(
                frame[3].shape == (52,) and 0 <= frame[3].min() <= frame[3].max() <= 1 for frame in client.frames
            )

    as_viewer(rig, body, viewers=10)


def test_a_slow_viewer_loses_the_oldest_and_delays_nobody() -> None:
    class Stuck:
        def __init__(self) -> None:
            self.open = asyncio.Event()
            self.sent: list[bytes] = []

        async def send_bytes(self, data: bytes) -> None:
            await self.open.wait()
            self.sent.append(data)

        async def send_str(self, data: str) -> None:
            await self.open.wait()

    async def body() -> None:
        hub, stuck, quick = Hub(), Stuck(), Stuck()
        quick.open.set()
        viewers = [Viewer(stuck), Viewer(quick)]
        writers = [asyncio.create_task(viewer.write()) for viewer in viewers]
        for viewer in viewers:
            hub.join(viewer)
        total = 10 * FRAMES
        for number in range(total):
            hub.frame(number.to_bytes(4, "little"))
            await asyncio.sleep(0)
        while len(quick.sent) < total:
            await asyncio.sleep(0)
        assert viewers[1].dropped == 0
        stuck.open.set()
        while len(stuck.sent) < total - viewers[0].dropped:
            await asyncio.sleep(0)
        assert viewers[0].dropped >= total - FRAMES - 2
        assert stuck.sent[-1] == (total - 1).to_bytes(4, "little")
        for writer in writers:
            writer.cancel()

    asyncio.run(body())


def test_a_viewer_that_never_reads_does_not_hold_up_the_others(rig: Rig) -> None:
    async def body(reader: Client, sleeper: Client) -> None:
        begun_s, count = time.monotonic(), len(reader.frames)
        await reader.until(lambda: len(reader.frames) >= count + 150)
        assert time.monotonic() - begun_s < 6.0

    as_viewer(rig, body, viewers=2)


def test_the_pages_microphone_moves_the_face(demo_wav: Path) -> None:
    import soundfile

    pcm, rate_hz = soundfile.read(demo_wav, dtype="int16")

    async def body(client: Client, other: Client) -> None:
        await client.send(type="microphone", id=1, on=True)
        await client.until(lambda: client.performing == "microphone")
        stream = client.texts["stream"][-1]["stream"]
        await other.send(type="microphone", id=7, on=True)
        assert "another microphone" in (await other.until(lambda: other.answer(7)))["reason"]
        for begin in range(0, 2 * rate_hz, 320):
            await client.socket.send_bytes(
                HEADER.pack(MICROPHONE, 0, rate_hz, 0, 0.0) + pcm[begin : begin + 320].tobytes()
            )
        await client.until(lambda: len([frame for frame in client.frames if frame[0] == stream]) >= 90)
        heard = np.array([frame[3] for frame in client.frames if frame[0] == stream])
        assert heard[:, 17].max() > 0.02  # jawOpen
        await client.send(type="microphone", id=2, on=False)
        await client.until(lambda: client.performing == "rest")

    with served() as fresh:
        as_viewer(fresh, body, viewers=2)
