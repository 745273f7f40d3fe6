"""What the page shows and steers: a `Talker` on this machine, or a ROS node. The server knows this protocol alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from dtalker_model.settings import Settings, setting_specs
from dtalker_model.view.ros_text import ros_commands, ros_yaml
from dtalker_model.view.sound import Sound
from dtalker_model.view.wire import Message, to_json


@dataclass(frozen=True)
class Broadcast:
    """How a backend reaches the pages. All three may be called from any thread."""

    frame: Callable[[bytes], None]
    """A binary message for every page."""
    state: Callable[[str, str], None]
    """A kind and a text for every page; only the newest of a kind matters."""
    answer: Callable[[int, str], None]
    """A text for the page of this number."""


class Backend(Protocol):
    """The server's other side. `hello` and the requests are called in the server's thread and return at once."""

    def connect(self, pages: Broadcast) -> None:
        """Where to send; called once, before everything else."""

    def hello(self) -> dict[str, str]:
        """What a page that has just come must know: texts by their kind."""

    def sound(self, number: int) -> Sound | None:
        """The sound of this number, if it is the current one."""

    def take_sound(self, sound: Sound) -> None:
        """Somebody dropped a sound on a page."""

    def request(self, viewer: int, message: Message) -> None:
        """Do what the page of this number asks for; answers come later."""

    def hear(self, viewer: int, pcm: npt.NDArray[np.int16], sample_rate_hz: int) -> None:
        """The microphone of a page."""

    def left(self, viewer: int, remaining: int) -> None:
        """A page has gone; so many remain."""

    def joined(self, remaining: int) -> None:
        """A page has come; so many there are now."""


def settings_text(settings: Settings) -> str:
    """The settings for the page, and as text for ROS."""
    values = {spec.name: getattr(settings, spec.name) for spec in setting_specs()}
    return to_json("settings", settings=values, yaml=ros_yaml(settings), commands=ros_commands(settings))


def about_text(source: str, model: dict[str, Any], can: list[str]) -> str:
    """What the page builds itself from.

    Args:
        source: ``talker`` or ``ros``.
        model: name, steps (its own number), step_counts (those it offers), lookahead_ms, licence, identities, emotions,
            live (whether it infers them), articulates (whether it learned other articulations than 1).
        can: of ``play``, ``upload``, ``microphone``, those that this backend offers.
    """
    specs = [
        {"name": s.name, "kind": s.kind.__name__, "default": s.default, "range": s.range, "unit": s.unit, "doc": s.doc}
        for s in setting_specs()
    ]
    return to_json("about", source=source, model=model, can=can, specs=specs)
