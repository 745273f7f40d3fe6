"""What the talker heard, for a film's sound, where nobody can read it again: a microphone, a pipe."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from dtalker_model.sinks import Sink
from dtalker_model.sinks.heads.video_file import VideoSink


class Recording:
    """A WAV file that grows."""

    def __init__(self, path: Path, rate_hz: int, channels: int) -> None:
        import soundfile

        self.path = path
        self._file = soundfile.SoundFile(path, "w", rate_hz, channels, subtype="PCM_16", format="RF64")

    def write(self, pcm: np.ndarray) -> None:
        """Append a chunk (samples, channels)."""
        self._file.write(pcm)

    def close(self) -> None:
        """No more will come."""
        self._file.close()


def recording_for(sinks: Sequence[Sink], stack: ExitStack, rate_hz: int, channels: int) -> Recording | None:
    """A recording that lasts until `stack` ends, where one of `sinks` is a film; the caller closes it."""
    if not any(isinstance(sink, VideoSink) for sink in sinks):
        return None
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    return Recording(folder / "speech.wav", rate_hz, channels)
