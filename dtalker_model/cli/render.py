"""``dtalker render``: a sound file in, blendshape weights out, as CSV and into any sinks."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from dtalker_model.cli.options import add_model, add_settings, add_speech, settings_from
from dtalker_model.cli.progress import Progress
from dtalker_model.cli.sink_options import ClosingBar, add_sinks, report, require_other_files, stream_info
from dtalker_model.cli.sound.recording import recording_for
from dtalker_model.errors import SettingError
from dtalker_model.faults import SaidOnce
from dtalker_model.sinks import FanOut, Sink, parse_sinks

if TYPE_CHECKING:
    import numpy as np

    from dtalker_model import Frame, Talker
    from dtalker_model.sound_files.reader import SoundReader

CHUNK_MS = 1000
LONGEST_CHUNK_MS = 600_000


def add_to(commands: Any) -> None:
    """Add the command and its options to the subparsers `commands`."""
    parser = commands.add_parser(
        "render",
        help="write the face for a sound file: CSV, video, glTF, MCAP, ...",
        description="Write the face for a sound file: CSV with time_s and the 52 ARKit names, 50 rows a second; "
        "or, with --sink, other files and programs.",
    )
    add_speech(parser, needed=True)
    parser.add_argument("--out", metavar="FACE.csv", help="CSV file to write, or - for stdout")
    add_sinks(parser)
    add_model(parser)
    parser.add_argument(
        "--chunk-ms", type=int, default=CHUNK_MS, metavar="N", help="audio handed over at once; the frames are the same"
    )
    add_settings(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Render; raises `DtalkerError`."""
    settings = settings_from(arguments)
    if not 1 <= arguments.chunk_ms <= LONGEST_CHUNK_MS:
        raise SettingError(f"chunk-ms: {arguments.chunk_ms} is out of range, allowed 1 to {LONGEST_CHUNK_MS} ms")
    sinks = parse_sinks(arguments.sinks)
    if arguments.out is None and not sinks:
        raise SettingError("nowhere to write: give --out FACE.csv or --sink SPEC (see dtalker render --help)")
    # Imported late, so that bad usage is refused at once.
    import dtalker_model
    from dtalker_model.sound_files.reader import SoundReader

    with SoundReader(arguments.speech) as sound:
        require_other_files(arguments.speech, arguments.out, sinks)
        talker = dtalker_model.load(arguments.model, settings=settings)
        _render(talker, sound, arguments.out, sinks, arguments.chunk_ms)


def _render(talker: "Talker", sound: "SoundReader", out: str | None, sinks: list[Sink], chunk_ms: int) -> None:
    from dtalker_model.cli.frame_csv import FrameCsv

    begun_s, frames_done = time.perf_counter(), 0
    with ExitStack() as stack:
        form = sound.info
        recording = recording_for(sinks, stack, form.sample_rate_hz, form.channels) if sound.comes_once else None
        speech = sound.path if recording is None else recording.path
        info = stream_info(talker.card, speech, False, stack.enter_context(ClosingBar()))
        fan_out = stack.enter_context(FanOut(sinks, info, report, needed=out is None))
        if recording is not None:
            stack.callback(recording.close)
        csv = None if out is None else stack.enter_context(FrameCsv(out))
        progress = stack.enter_context(Progress("rendering", sound.info.duration_s, "s of speech"))
        tell = SaidOnce(lambda text: report(f"{sound.name}: {text}"))
        for frames in face_of(talker, sound, chunk_ms, None if recording is None else recording.write):
            tell(talker.faults)
            if csv is not None:
                csv.write(frames)
            fan_out.write(frames)
            frames_done += len(frames)
            progress.update(frames_done / talker.card.frame_rate_hz)
    spent_s = time.perf_counter() - begun_s
    shown_s = frames_done / talker.card.frame_rate_hz
    where = ", ".join(filter(None, [out, *(sink.label for sink in sinks)]))
    fan_out.require_all()
    print(f"{where}: {frames_done} frames, {shown_s:.2f} s, {shown_s / spent_s:.0f} times real time", file=sys.stderr)


def face_of(
    talker: "Talker", sound: "SoundReader", chunk_ms: int, heard: "Callable[[np.ndarray], None] | None" = None
) -> Iterator[list["Frame"]]:
    """All frames of `sound`, in pieces; `heard` gets its samples."""
    rate_hz = sound.info.sample_rate_hz
    with sound.named():
        for block in sound.blocks(max(1, rate_hz * chunk_ms // 1000)):
            yield talker.push(block, rate_hz)
            if heard is not None:
                heard(block)
    yield talker.flush()
