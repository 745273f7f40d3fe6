"""The bytes of one topic, message after message: a WAV header that holds for those after it, and samples cut in two."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dtalker_model.errors import AudioError
from dtalker_model.sound_files.wave_header import begins_like_wave
from dtalker_model.sound_files.wave_stream import WaveStream
from dtalker_ros.audio.encoded import read_riff, refuse_compressed
from dtalker_ros.audio.pcm import AudioFormat, checked_channels, interleaved, samples_of_bytes

Samples = tuple[NDArray[np.generic], int]


class ByteStream:
    """Bytes in, samples (n, channels) and their rate out; n is 0 while a header or a sample is not complete."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """`say` gets a line, once, where messages end in the midst of a sample."""
        self._say = say
        self._said = False
        self._wave: WaveStream | None = None
        self._rest: NDArray[np.generic] = np.zeros(0, np.uint8)
        self._rest_of: object = None

    @property
    def waits(self) -> bool:
        """Whether something was kept for the next message."""
        return self._wave is not None or len(self._rest) > 0

    def of_bytes(self, data: bytes, declared: Callable[[], AudioFormat], goes_on: bool = True) -> Samples:
        """Samples of `data`: a WAV file or its beginning, what goes on after one, or raw PCM as `declared()` says.

        `goes_on`: whether these bytes, which do not begin with a header, may belong to the header before. Raises
        `AudioError`.
        """
        if begins_like_wave(data):
            self._wave = WaveStream()
        elif self._wave is None or not goes_on:
            refuse_compressed(data)
            form = declared()
            samples = self._whole(np.frombuffer(data, np.uint8), form.form.width_bytes * form.channels, form)
            return samples_of_bytes(samples.tobytes(), form.form, form.channels), form.sample_rate_hz
        return self._waved(self._wave, data)

    def of_array(self, array: NDArray[np.generic], channels: int) -> NDArray[np.generic]:
        """A flat array of numbers as (samples, channels); raises `AudioError`."""
        return interleaved(self._whole(array, channels, (array.dtype, channels)), channels)

    def _waved(self, wave: WaveStream, data: bytes) -> Samples:
        self._rest = self._rest[:0]
        fresh = wave.format is None
        self._wave = None
        try:
            samples = wave.push(data)
        except AudioError:
            if not fresh:
                raise
            return read_riff(data)  # of a codec, perhaps, that libsndfile knows
        if wave.format is not None:
            checked_channels(wave.format.channels)
        if not wave.over:
            self._wave = wave
        return samples, 0 if wave.format is None else wave.format.sample_rate_hz

    def _whole(self, values: NDArray[np.generic], step: int, what: object) -> NDArray[np.generic]:
        """What waits and `values`, as far as they are whole samples of `step` values; the rest waits."""
        if len(self._rest) and self._rest_of == what:
            values = np.concatenate([self._rest, values])
        whole = len(values) - len(values) % step
        self._rest, self._rest_of = values[whole:].copy(), what
        if len(self._rest) and not self._said:
            self._said = True
            self._say(
                f"messages end in the midst of a sample (of {step} bytes or numbers): its rest is taken from the next "
                "one; check audio_format and audio_channels if it sounds wrong"
            )
        return values[:whole]


def lone_bytes(data: bytes, declared: Callable[[], AudioFormat], goes_on: bool = True) -> Samples:
    """The same of a message that stands alone: it must be whole. Raises `AudioError`."""
    if begins_like_wave(data):
        return read_riff(data)
    refuse_compressed(data)
    form = declared()
    return samples_of_bytes(data, form.form, form.channels), form.sample_rate_hz
