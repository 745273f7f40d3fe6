"""``dtalker render``: a sound file in, a CSV of blendshape weights out."""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dtalker_model.cli.options import add_settings, settings_from
from dtalker_model.cli.progress import Progress
from dtalker_model.errors import AudioError, SettingError, SinkError

if TYPE_CHECKING:
    from dtalker_model import Frame, Talker
    from dtalker_model.cli.sound_file import SoundReader

CHUNK_MS = 1000
LONGEST_CHUNK_MS = 600_000


def add_to(commands: Any) -> None:
    """Add the command and its options to the subparsers `commands`."""
    parser = commands.add_parser(
        "render",
        help="write the face for a sound file as CSV",
        description="Write the face for a sound file: CSV with time_s and the 52 ARKit names, 50 rows a second.",
    )
    parser.add_argument("speech", metavar="SPEECH", type=Path, help="sound file: WAV, FLAC, OGG, MP3, ...")
    parser.add_argument("--out", required=True, metavar="FACE.csv", help="file to write, or - for stdout")
    parser.add_argument("--model", default="dtalker", metavar="M", help="name of a shipped model, or path of an .onnx")
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
    # Imported late, so that bad usage is refused at once.
    import dtalker_model
    from dtalker_model.cli.sound_file import SoundReader

    with SoundReader(arguments.speech) as sound:
        _require_other_file(arguments.speech, arguments.out)
        talker = dtalker_model.load(arguments.model, settings=settings)
        _render(talker, sound, arguments.out, arguments.chunk_ms)


def _render(talker: "Talker", sound: "SoundReader", out: str, chunk_ms: int) -> None:
    from dtalker_model.cli.frame_csv import FrameCsv

    begun_s = time.perf_counter()
    with FrameCsv(out) as csv, Progress("rendering", sound.info.duration_s, "s of speech") as progress:
        for frames in face_of(talker, sound, chunk_ms):
            csv.write(frames)
            progress.update(csv.frames / talker.card.frame_rate_hz)
    spent_s = time.perf_counter() - begun_s
    shown_s = csv.frames / talker.card.frame_rate_hz
    print(f"{out}: {csv.frames} frames, {shown_s:.2f} s, {shown_s / spent_s:.0f} times real time", file=sys.stderr)


def face_of(talker: "Talker", sound: "SoundReader", chunk_ms: int) -> Iterator[list["Frame"]]:
    """All frames of `sound`, in pieces."""
    rate_hz = sound.info.sample_rate_hz
    try:
        for block in sound.blocks(max(1, rate_hz * chunk_ms // 1000)):
            yield talker.push(block, rate_hz)
    except AudioError as error:
        at_fault = str(error)
        raise AudioError(at_fault if at_fault.startswith(str(sound.path)) else f"{sound.path}: {at_fault}") from error
    yield talker.flush()


def _require_other_file(speech: Path, out: str) -> None:
    if out != "-" and os.path.exists(out) and os.path.samefile(speech, out):
        raise SinkError(f"cannot write {out}: it is the sound file itself")
