"""What serving the page costs: the share of a core that this process takes, with viewers in a process of their own.

``dtalker view --bench`` prints JSON; ``python -m dtalker_model.cli.view_bench URL VIEWERS SECONDS`` is the viewers'
side.
"""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp

import dtalker_model
from dtalker_model.cli.machine import machine
from dtalker_model.view.avatar_file import read_avatar
from dtalker_model.view.performer import Performer
from dtalker_model.view.server import ViewServer
from dtalker_model.view.sound import read_sound
from dtalker_model.view.wire import HEADER, Message

CLIP = Path(__file__).parents[1] / "data" / "demo.wav"
VIEWERS = (0, 1, 10)
SECONDS = 7.0
"""Within one playing of the clip, warming up included."""
WARM_UP_S = 1.0


def report(seconds: float = SECONDS) -> str:
    """Measure with no, one and ten viewers while a clip is spoken; JSON."""
    performer = Performer(dtalker_model.load(), read_sound(CLIP, CLIP.name))
    try:
        with ViewServer(performer, read_avatar()) as server:
            figures = {f"viewers_{count}": _with_viewers(performer, server.url, count, seconds) for count in VIEWERS}
    finally:
        performer.close()
    return json.dumps({**figures, "machine": machine()}, indent=1)


def _with_viewers(performer: Performer, url: str, count: int, seconds: float) -> dict[str, Any]:
    """The share of a core, and what each viewer got, with `count` viewers."""
    performer.request(0, Message("play"))
    command = [sys.executable, "-m", __name__, url, str(count), str(seconds + 2 * WARM_UP_S)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as viewers:
        assert viewers.stdout is not None
        viewers.stdout.readline()  # all are connected
        time.sleep(WARM_UP_S)
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        time.sleep(seconds)
        share = (time.process_time() - cpu_s) / (time.perf_counter() - wall_s)
        received = json.loads(viewers.stdout.readline())
    performer.request(0, Message("stop"))
    return {"core_percent": round(100 * share, 1), **received}


async def _watch(url: str, count: int, seconds: float) -> None:
    """Connect `count` viewers, say so, and count their frames for `seconds`."""
    async with aiohttp.ClientSession() as session:
        sockets = [await session.ws_connect(f"{url}ws") for _ in range(count)]
        print("connected", flush=True)
        begun_s = time.monotonic()
        counts = await asyncio.gather(*(_frames(socket, begun_s + seconds) for socket in sockets))
        if not counts:
            await asyncio.sleep(seconds)
        rates = [received / seconds for received, _ in counts]
        lost = sum(missing for _, missing in counts)
        fields = {"frames_per_s": round(min(rates), 1), "frames_lost": lost} if counts else {}
        print(json.dumps(fields), flush=True)


async def _frames(socket: Any, until_s: float) -> tuple[int, int]:
    """Frames that came, and frames that are missing between them."""
    received, missing, last = 0, 0, None
    while time.monotonic() < until_s:
        message = await socket.receive()
        if message.type == aiohttp.WSMsgType.BINARY:
            sequence = HEADER.unpack_from(message.data)[2]
            missing += 0 if last is None else sequence - last - 1
            received, last = received + 1, sequence
    return received, missing


if __name__ == "__main__":
    asyncio.run(_watch(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
