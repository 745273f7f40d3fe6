"""Shows the face of a talker node in the browser; the page's controls set the talker's parameters."""

import os
import sys
import threading
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from rclpy.node import Node

from dtalker_model.errors import DtalkerError, SettingError
from dtalker_ros.nodes.process import run_node, spin
from dtalker_ros.parameters.node_parameters import NodeParameters
from dtalker_ros.parameters.parameters import ParameterSpec
from dtalker_ros.topics.topic_face import TopicFace

PARAMETERS = (
    ParameterSpec("talker", "dtalker", "Name of the talker node whose face is shown.", read_only=True),
    ParameterSpec("host", "127.0.0.1", "Address to serve on; other machines then need the token.", read_only=True),
    ParameterSpec("port", 8052, "Port to serve on; 0 takes a free one.", (0, 65535), read_only=True),
    ParameterSpec(
        "token_file",
        "",
        "File whose first line other machines must know; empty: it is made up where needed, for the terminal alone.",
        read_only=True,
    ),
    ParameterSpec("avatar", "", "A head (.glb) with ARKit morph targets; empty: the own one.", read_only=True),
    ParameterSpec(
        "head", "", "YAML of a robot's head whose joints are shown, as joint_states has them.", read_only=True
    ),
    ParameterSpec("open", False, "Open the browser where there is a display.", read_only=True),
)


class FaceViewerNode(Node):
    """Node `face_viewer`."""

    def __init__(self) -> None:
        super().__init__("face_viewer")
        self.parameters = NodeParameters(self, lambda values: None)
        self.parameters.declare(PARAMETERS)
        self.parameters.say_unknown()
        values = self.parameters.values()
        self.face = TopicFace(self, values["talker"], values["head"])


def _run(node: FaceViewerNode, stop: threading.Event) -> int:
    """Serve until `stop`; raises `DtalkerError` where the page cannot be served."""
    try:
        from dtalker_model.view.avatar_file import HEAD, read_avatar
        from dtalker_model.view.server import Address, ViewServer
    except ImportError as error:
        raise DtalkerError(f"the page needs the Python module aiohttp ({error}): pip install aiohttp") from None
    values = node.parameters.values()
    given = _token(values["token_file"])
    avatar = read_avatar(Path(values["avatar"]) if values["avatar"] else HEAD)
    with ViewServer(node.face, avatar, Address(values["host"], values["port"], given)) as server:
        node.get_logger().info(f"the face is at {server.url.partition('?')[0]}")
        if server.token and not given:  # not for /rosout, which everybody on the network reads
            where = f" ({server.elsewhere})" if server.elsewhere else ""
            print(f"the face, for other machines: {server.url}{where}", file=sys.stderr, flush=True)
        if values["open"] and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            webbrowser.open(server.url)
        return spin(node, stop)


def _token(name: str) -> str | None:
    """The token in the file `name`; None where no file is named. It is no parameter, which anybody could read."""
    if not name:
        return None
    try:
        token = Path(name).read_text(encoding="utf-8").splitlines()[0].strip()
    except (OSError, ValueError, IndexError) as error:
        raise SettingError(f"token_file: cannot read a token from {name}: {error}") from None
    if not token:
        raise SettingError(f"token_file: the first line of {name} is empty")
    return token


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until a signal; returns the exit code."""
    return run_node(FaceViewerNode, args, _run)


if __name__ == "__main__":
    sys.exit(main())
