"""``dtalker view``: a page with a talking head, on this machine."""

import argparse
import contextlib
import importlib.util
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dtalker_model.cli.interrupt import NOTICED_S
from dtalker_model.cli.options import add_model, add_settings, add_speech, settings_from
from dtalker_model.errors import DtalkerError, SettingError

if TYPE_CHECKING:
    from dtalker_model.view.performer import Performer
    from dtalker_model.view.server import ViewServer

PORT = 8052
ROS_NODE = "dtalker_ros.nodes.face_viewer_node"


def add_to(commands: Any) -> None:
    """Add the command and its options to the subparsers `commands`."""
    parser = commands.add_parser(
        "view",
        help="show the face in the browser",
        description="Serve a page with a talking head: it speaks a file, follows a microphone, or shows a robot.",
    )
    add_speech(parser, "sound file, - reads a pipe; default: the bundled clip")
    parser.add_argument("--mic", action="store_true", help="follow this machine's microphone")
    parser.add_argument("--topic", action="store_true", help="show the face that a ROS talker node publishes")
    parser.add_argument("--loop", action="store_true", help="repeat the sound file")
    add_model(parser)
    parser.add_argument("--device", metavar="D", help="microphone: part of its name")
    parser.add_argument("--bench", action="store_true", help="measure what serving costs, as JSON, and end")
    add_serving(parser)
    add_settings(parser)
    parser.set_defaults(run=run)


def add_serving(parser: argparse.ArgumentParser) -> None:
    """The options of the page's server."""
    parser.add_argument("--host", default="127.0.0.1", metavar="H", help="address; other machines then need the token")
    parser.add_argument("--port", type=int, default=PORT, metavar="N", help=f"0 takes a free one (default {PORT})")
    parser.add_argument("--token", metavar="T", help="what other machines must know; made up where it is needed")
    parser.add_argument("--avatar", type=Path, metavar="FILE.glb", help="a head with ARKit morph targets")
    parser.add_argument("--no-open", action="store_true", help="do not open the browser, print the address alone")


def run(arguments: argparse.Namespace) -> None:
    """Serve until Ctrl-C; raises `DtalkerError`."""
    if arguments.topic:
        sys.exit(_delegate(arguments))
    if arguments.mic and arguments.speech:
        raise SettingError("view: give a sound file or --mic, not both")
    settings = settings_from(arguments)
    require_aiohttp()
    logging.basicConfig(level=logging.WARNING, format="dtalker: %(message)s")
    if arguments.bench:
        from dtalker_model.cli.view_bench import report

        print(report())
        return
    import dtalker_model
    from dtalker_model.view.performer import Performer

    performer = Performer(dtalker_model.load(arguments.model, settings=settings), _sound(arguments), arguments.loop)
    try:
        with server_for(performer, arguments) as server, _microphone(performer, arguments):
            tell(server, not arguments.no_open)
            while True:
                time.sleep(NOTICED_S)
    finally:
        performer.close()


def require_aiohttp() -> None:
    """Raise `DtalkerError` where the library of the server is missing."""
    if importlib.util.find_spec("aiohttp") is None:
        raise DtalkerError("the page needs the Python module aiohttp: pip install aiohttp")


def server_for(backend: Any, arguments: argparse.Namespace) -> "ViewServer":
    """A server for `backend` as the options of `add_serving` say."""
    from dtalker_model.view.avatar_file import HEAD, read_avatar
    from dtalker_model.view.server import Address, ViewServer

    if not 0 <= arguments.port <= 65535:
        raise SettingError(f"port: {arguments.port} is out of range, allowed 0 to 65535")
    address = Address(arguments.host, arguments.port, arguments.token)
    return ViewServer(backend, read_avatar(arguments.avatar or HEAD), address)


def tell(server: "ViewServer", open_it: bool) -> None:
    """Print the address, and open it where there is a display."""
    notes = "; ".join(filter(None, [server.elsewhere, "Ctrl-C ends"]))
    print(f"dtalker: the face is at {server.url} ({notes})", flush=True)
    displayed = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if open_it and displayed:
        webbrowser.open(server.url)


def _sound(arguments: argparse.Namespace) -> Any:
    from dtalker_model.view.sound import read_sound

    if arguments.mic:
        return None
    path = arguments.speech or Path(__file__).parents[1] / "data" / "demo.wav"
    return read_sound(path, "standard input" if str(path) == "-" else path.name)


def _microphone(performer: "Performer", arguments: argparse.Namespace) -> Any:
    if not arguments.mic:
        return contextlib.nullcontext()
    from dtalker_model.cli.sound.microphone import open_microphone
    from dtalker_model.view.performer import SERVER

    rates_hz: list[int] = []
    stream, rate_hz = open_microphone(
        arguments.device,
        lambda pcm: performer.hear(SERVER, pcm[:, 0], rates_hz[0]),
        lambda text: logging.getLogger("dtalker.view").warning(text),
    )
    rates_hz.append(rate_hz)
    performer.open_microphone()
    return stream


def _delegate(arguments: argparse.Namespace) -> int:
    """Run the ROS node with the serving options; its exit code."""
    if importlib.util.find_spec("rclpy") is None or importlib.util.find_spec("dtalker_ros") is None:
        raise DtalkerError("--topic needs ROS 2: source it and the workspace of dtalker, or . scripts/env.sh")
    # A file that we alone may read: parameters are for everybody.
    with tempfile.NamedTemporaryFile("w", suffix=".token") as token:
        token.write(f"{arguments.token or ''}\n")
        token.flush()
        given = {"host": arguments.host, "avatar": str(arguments.avatar or "")}
        given["token_file"] = token.name if arguments.token else ""
        options = [f"{name}:={json.dumps(value)}" for name, value in given.items()]
        options += [f"port:={arguments.port}", f"open:={str(not arguments.no_open).lower()}"]
        parameters = [word for option in options for word in ("-p", option)]
        return subprocess.call([sys.executable, "-m", ROS_NODE, "--ros-args", *parameters])
