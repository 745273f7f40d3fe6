"""``dtalker live``: a voice in, its face out to any sinks, in real time and without ROS."""

import argparse
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from dtalker_model.cli.interrupt import interruptible
from dtalker_model.cli.options import add_model, add_settings, add_speech, settings_from
from dtalker_model.cli.sink_options import ClosingBar, add_sinks, report, require_other_files, stream_info
from dtalker_model.cli.sound.recording import Recording, recording_for
from dtalker_model.errors import AudioError, SettingError
from dtalker_model.faults import SaidOnce
from dtalker_model.rates import SAMPLE_RATE_HZ
from dtalker_model.sinks import FanOut, Sink, parse_sinks

if TYPE_CHECKING:
    from dtalker_model import Talker
    from dtalker_model.cli.sound.live_audio import AudioQueue, Heard

DEFAULT_SINK = "jsonl:-"
MOST_LATENCIES = 100_000
"""Latencies kept for the summary: half an hour."""


def add_to(commands: Any) -> None:
    """Add the command and its options to the subparsers `commands`."""
    parser = commands.add_parser(
        "live",
        help="let the face follow the microphone, or a file at its own pace",
        description="Frames of the microphone's voice (or of a sound file, at its own pace) to any sinks, as they "
        f"come, until Ctrl-C. Without --sink: {DEFAULT_SINK}.",
    )
    add_speech(parser, "sound file (- reads a pipe) instead of the microphone")
    parser.add_argument("--mic", action="store_true", help="listen to the microphone")
    parser.add_argument("--device", metavar="D", help="part of the input device's name, or its number")
    add_sinks(parser)
    add_model(parser)
    add_settings(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Talk until the sound or the user's patience ends; raises `DtalkerError`."""
    settings = settings_from(arguments)
    sinks = parse_sinks(arguments.sinks or [DEFAULT_SINK])
    if arguments.mic == (arguments.speech is not None):
        raise SettingError("give either a sound file or --mic (see dtalker live --help)")
    if arguments.device is not None and not arguments.mic:
        raise SettingError("device: needs --mic")
    import dtalker_model
    from dtalker_model.cli.sound.live_audio import AudioQueue, Microphone, PacedFile

    queue = AudioQueue()
    with ExitStack() as stack:
        source = Microphone(arguments.device, queue, report) if arguments.mic else PacedFile(arguments.speech, queue)
        stack.callback(source.close)
        require_other_files(arguments.speech, None, sinks)
        talker = dtalker_model.load(arguments.model, settings=settings)
        talker.push(np.zeros(SAMPLE_RATE_HZ, np.float32), SAMPLE_RATE_HZ)  # the first inference is slow
        talker.reset()
        recording = recording_for(sinks, stack, queue.rate_hz, source.channels) if source.comes_once else None
        speech = arguments.speech if recording is None else recording.path
        info = stream_info(talker.card, speech, True, stack.enter_context(ClosingBar()))
        fan_out = stack.enter_context(FanOut(sinks, info, report))
        if recording is not None:
            stack.callback(recording.close)
        session = Session(talker, fan_out, queue, recording)
        with interruptible(queue.end), source:
            session.talk()
    print(session.summary(sinks), file=sys.stderr)
    fan_out.require_all()


class Session:
    """The loop: chunks from the queue through the talker to the sinks."""

    def __init__(
        self, talker: "Talker", fan_out: FanOut, queue: "AudioQueue", recording: Recording | None = None
    ) -> None:
        self._talker, self._fan_out, self._queue, self._recording = talker, fan_out, queue, recording
        self._tell = SaidOnce(report)
        self._latencies_ms: list[float] = []
        self._said_s = 0.0
        self._samples = 0
        self.frames = 0

    def talk(self) -> None:
        """Run until the queue ends; what the look-ahead still holds comes at the end."""
        for heard in self._queue:
            self._take(heard)
        frames = self._talker.flush()
        self._tell(self._talker.faults)
        self._fan_out.write(frames)
        self.frames += len(frames)

    def _take(self, heard: "Heard") -> None:
        try:
            frames = self._talker.push(heard.pcm, self._queue.rate_hz)
        except AudioError as error:
            report(f"audio refused: {error}")
            return
        self._tell(self._talker.faults)
        if self._recording is not None:
            self._recording.write(heard.pcm)
        self._fan_out.write(frames)
        self.frames += len(frames)
        self._latencies_ms += [1000 * (time.monotonic() - heard.at_s)] * len(frames)
        del self._latencies_ms[:-MOST_LATENCIES]
        if self._queue.dropped_s > self._said_s:
            if self._said_s == 0:
                report("audio is dropped: this machine, or a sink, is too slow")
            self._said_s = self._queue.dropped_s

    def summary(self, sinks: list[Sink]) -> str:
        """One line about what went out."""
        p50, p95 = np.percentile(self._latencies_ms, [50, 95]) if self._latencies_ms else (0.0, 0.0)
        where = ", ".join(sink.label for sink in sinks)
        return (
            f"{where}: {self.frames} frames, {self._queue.dropped_s:.2f} s of audio dropped, "
            f"latency beyond the look-ahead p50 {p50:.1f} ms, p95 {p95:.1f} ms"
        )
