"""From a text such as ``csv:face.csv`` or ``livelink:127.0.0.1:11111?name=Robot`` to a sink."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dtalker_model.errors import SettingError
from dtalker_model.sinks.heads.glb_file import GlbSink
from dtalker_model.sinks.heads.video_file import VideoSink
from dtalker_model.sinks.network.livelink_udp import LiveLinkSink
from dtalker_model.sinks.network.vmc_osc import VmcSink
from dtalker_model.sinks.protocol import Sink
from dtalker_model.sinks.records.csv_file import CsvSink
from dtalker_model.sinks.records.jsonl_file import JsonLinesSink
from dtalker_model.sinks.records.mcap_file import McapSink

LONGEST_NAME = 200
"""Bytes of a subject's name: the datagram must stay below 1500."""
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 1.0, 240.0

_OPTIONS = re.compile(r"^(?P<target>.*?)\?(?P<options>\w+=[^&]*(&\w+=[^&]*)*)$")


def _rate(text: str) -> float:
    rate_hz = float(text)
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise ValueError(f"{rate_hz:g} is out of range, allowed {LOWEST_RATE_HZ:g} to {HIGHEST_RATE_HZ:g} Hz")
    return rate_hz


def _whole_rate(text: str) -> float:
    if not _rate(text).is_integer():
        raise ValueError(f"expected a whole number of Hz, received {text!r}")
    return _rate(text)


def _size(text: str) -> int:
    if not 64 <= int(text) <= 2160 or int(text) % 2:
        raise ValueError(f"expected an even number of 64 to 2160 pixels, received {text!r}")
    return int(text)


def _name(text: str) -> str:
    if not 1 <= len(text.encode(errors="surrogateescape")) <= LONGEST_NAME:
        raise ValueError(f"expected 1 to {LONGEST_NAME} bytes, received {len(text)} characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"expected UTF-8, received {text!r}") from None
    return text


Options = Mapping[str, tuple[str, Callable[[str], Any]]]


@dataclass(frozen=True)
class Kind:
    """One kind of sink."""

    make: Callable[..., Sink]
    doc: str
    """Target and what comes of it, for the help."""
    endings: tuple[str, ...] = ()
    """File name endings that mean this kind."""
    options: Options = field(default_factory=lambda: {"rate": ("rate_hz", _rate)})
    """Option name to the argument of `make` and its reader, which raises `ValueError`."""


_WHOLE: Options = {"rate": ("rate_hz", _whole_rate)}
_AVATAR: Options = {"avatar": ("avatar", Path)}

KINDS: Mapping[str, Kind] = {
    "csv": Kind(CsvSink, "csv:FILE|-", (".csv",)),
    "jsonl": Kind(JsonLinesSink, "jsonl:FILE|-", (".jsonl", ".ndjson")),
    "livelink": Kind(LiveLinkSink, "livelink:HOST[:11111] (Unreal)", options={**_WHOLE, "name": ("name", _name)}),
    "vmc": Kind(VmcSink, "vmc:HOST[:39539] (VRM programs)"),
    "mcap": Kind(McapSink, "mcap:FILE (ROS 2 recording)", (".mcap",)),
    "glb": Kind(GlbSink, "glb:FILE (animated head)", (".glb",), {"rate": ("rate_hz", _rate), **_AVATAR}),
    "video": Kind(VideoSink, "video:FILE.mp4 (with sound)", (".mp4",), {**_WHOLE, **_AVATAR, "size": ("size", _size)}),
}


def sink_help() -> str:
    """One sentence about the texts that `parse_sink` takes."""
    kinds = ", ".join(kind.doc for kind in KINDS.values())
    return f"{kinds}; or a file whose ending says the kind; options as in ?rate=30; may be repeated"


def parse_sink(text: str) -> Sink:
    """The sink that `text` asks for, not yet open; raises `SettingError`."""
    if "\0" in text:
        raise SettingError(f"sink {text!r}: holds a zero byte")
    kind_name, target, options = _parts(text)
    kind = KINDS[kind_name]
    arguments: dict[str, Any] = {}
    for name, value in options.items():
        if name not in kind.options:
            raise SettingError(f"sink {text}: unknown option {name!r}; known: {', '.join(kind.options)}")
        argument, read = kind.options[name]
        try:
            arguments[argument] = read(value)
        except ValueError as error:
            raise SettingError(f"sink {text}: {name}: {error}") from None
    return kind.make(target, label=text, **arguments)


def parse_sinks(texts: Sequence[str]) -> list[Sink]:
    """All sinks of `texts`; empty ones are passed over. Raises `SettingError`, also for a target that comes twice."""
    sinks: list[Sink] = []
    places: dict[str, str] = {}
    for text in filter(None, map(str.strip, texts)):
        sinks.append(parse_sink(text))
        place = sink_place(sinks[-1])
        if place in places:
            raise SettingError(f"sink {text}: {places[place]} goes to the same place")
        places[place] = text
    # Those that take long to close come last.
    return sorted(sinks, key=lambda sink: list(KINDS).index(_parts(sink.label)[0]))


def sink_place(sink: Sink) -> str:
    """Where a sink goes, however that was written: the same for two that would disturb each other."""
    if sink.path is not None:
        return os.path.realpath(sink.path)
    return _parts(sink.label)[1] if sink.address is None else "{}:{}".format(*sink.address)


def _parts(text: str) -> tuple[str, str, dict[str, str]]:
    """Kind, target and options."""
    match = _OPTIONS.match(text)
    rest, pairs = (match["target"], match["options"].split("&")) if match else (text, [])
    options = {name: value for name, _, value in (pair.partition("=") for pair in pairs)}
    scheme, colon, target = rest.partition(":")
    if colon and scheme.lower() in KINDS:
        if not target:
            raise SettingError(f"sink {text}: says no target: {KINDS[scheme.lower()].doc}")
        return scheme.lower(), target, options
    for name, kind in KINDS.items():
        if Path(rest).suffix.lower() in kind.endings:
            return name, rest, options
    known = ", ".join(kind.doc for kind in KINDS.values())
    raise SettingError(f"sink {text}: unknown kind; known: {known}")
