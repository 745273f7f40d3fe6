"""Audio in real time, from the microphone or from a file at its own pace, through a bounded queue."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from dtalker_model.cli.interrupt import NOTICED_S
from dtalker_model.cli.sound.microphone import CHUNK_MS, open_microphone
from dtalker_model.errors import DtalkerError
from dtalker_model.sound_files.reader import SoundReader

LONGEST_QUEUE_S = 0.5
"""Audio that waits longer than this is late: the oldest is dropped."""


@dataclass(frozen=True)
class Heard:
    """A chunk of audio and the time at which its last sample was there, in seconds of `time.monotonic`."""

    pcm: np.ndarray
    at_s: float


class AudioQueue:
    """Chunks from the thread that captures to the loop that talks; the oldest are dropped when it is full."""

    def __init__(self, longest_s: float = LONGEST_QUEUE_S) -> None:
        self.dropped_s = 0.0
        """Audio dropped so far."""
        self.rate_hz = 0
        """Sample rate; set before the first chunk."""
        self._longest_s = longest_s
        self._chunks: deque[Heard] = deque()
        self._waiting_s = 0.0
        self._ended = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()

    def put(self, pcm: np.ndarray) -> None:
        """Append a chunk (samples, channels) that ends now; returns at once."""
        with self._changed:
            self._chunks.append(Heard(pcm, time.monotonic()))
            self._waiting_s += len(pcm) / self.rate_hz
            while self._waiting_s > self._longest_s and len(self._chunks) > 1:
                late_s = len(self._chunks.popleft().pcm) / self.rate_hz
                self._waiting_s -= late_s
                self.dropped_s += late_s
            self._changed.notify()

    def end(self, error: BaseException | None = None) -> None:
        """No more will come; `error` is raised to who reads."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify()

    def __iter__(self) -> Iterator[Heard]:
        """Chunks as they come, until the end."""
        while True:
            with self._changed:
                while not self._chunks and not self._ended:
                    self._changed.wait(NOTICED_S)
                if not self._chunks:
                    break
                heard = self._chunks.popleft()
                self._waiting_s -= len(heard.pcm) / self.rate_hz
            yield heard
        if self._error is not None:
            raise self._error


class Microphone:
    """Context manager: the microphone fills `queue`. Raises `AudioError` where there is none."""

    channels = 1
    comes_once = True

    def __init__(self, device: str | None, queue: AudioQueue, complain: Callable[[str], None]) -> None:
        self._queue = queue
        self._stream, queue.rate_hz = open_microphone(device, queue.put, complain)
        self._closed = False

    def __enter__(self) -> "Microphone":
        self._stream.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hear no more; may be called again."""
        if not self._closed:
            self._closed = True
            self._stream.close()


class PacedFile:
    """Context manager: a thread fills `queue` with the file's chunks, each when its last sample would be heard."""

    def __init__(self, speech: Path, queue: AudioQueue) -> None:
        self._stop = threading.Event()
        self._sound = SoundReader(speech, stopped=self._stop.is_set)
        self._queue = queue
        queue.rate_hz = self._sound.info.sample_rate_hz
        self.channels, self.comes_once = self._sound.info.channels, self._sound.comes_once
        self._thread = threading.Thread(target=self._run, name="dtalker_file", daemon=True)

    def __enter__(self) -> "PacedFile":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self.close()

    def close(self) -> None:
        """Read no more; may be called again."""
        self._sound.close()

    def _run(self) -> None:
        rate_hz = self._queue.rate_hz
        begun_s, samples = time.monotonic(), 0
        try:
            for block in self._sound.blocks(rate_hz * CHUNK_MS // 1000):
                samples += len(block)
                if self._stop.wait(max(0.0, begun_s + samples / rate_hz - time.monotonic())):
                    break
                self._queue.put(block)
        except DtalkerError as error:
            self._queue.end(error)
        else:
            self._queue.end()


Source = AbstractContextManager[object]
