"""``--sink`` of the commands that make frames, and what they tell the sinks."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from dtalker_model.cli.progress import Progress
from dtalker_model.errors import SinkError
from dtalker_model.printable import printable
from dtalker_model.sinks.protocol import Sink, StreamInfo
from dtalker_model.sinks.registry import sink_help, sink_place

if TYPE_CHECKING:
    from dtalker_model import ModelCard

PERCENT = 100.0


def add_sinks(parser: argparse.ArgumentParser) -> None:
    """The option ``--sink``."""
    parser.add_argument(
        "--sink", dest="sinks", action="append", default=[], metavar="SPEC", help=sink_help().replace("%", "%%")
    )


def stream_info(card: "ModelCard", speech: Path | None, live: bool, bar: "ClosingBar") -> StreamInfo:
    """What is known about the stream of a model that begins now."""
    return StreamInfo(
        begun_ns=time.time_ns(),
        live=live,
        frame_rate_hz=card.frame_rate_hz,
        names=tuple(card.blendshapes),
        model=card.name,
        model_sha256=card.sha256,
        licence=card.licence,
        lookahead_ms=card.lookahead_ms,
        identities=tuple(card.identities),
        emotions=tuple(card.emotions),
        steps=card.steps,
        step_counts=card.step_counts,
        speech=speech,
        progress=bar.update,
    )


def report(message: str) -> None:
    """One line on stderr."""
    print("dtalker:", printable(message), file=sys.stderr, flush=True)


def require_other_files(speech: Path | None, out: str | None, sinks: Sequence[Sink]) -> None:
    """Raise `SinkError` where something to write is the sound file itself, or where two write the same file."""
    places = {sink_place(sink): sink.label for sink in sinks}
    if out is not None and (label := places.get("-" if out == "-" else os.path.realpath(out))):
        raise SinkError(f"cannot write {out}: sink {label} goes to the same place")
    for path in [out, *(sink.path for sink in sinks)]:
        if path in (None, "-") or speech is None or not (os.path.exists(path) and os.path.exists(speech)):
            continue
        if os.path.samefile(speech, path):
            raise SinkError(f"cannot write {path}: it is the sound file itself")


class ClosingBar:
    """Context manager: a bar for what sinks do when they are closed."""

    def __init__(self) -> None:
        self._bar: Progress | None = None

    def __enter__(self) -> "ClosingBar":
        return self

    def update(self, label: str, part: float) -> None:
        """Show that `part` (0..1) of the work `label` is done."""
        if self._bar is None:
            self._bar = Progress(label, PERCENT, "%").__enter__()
        self._bar.update(part * PERCENT)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, trace)
            self._bar = None
