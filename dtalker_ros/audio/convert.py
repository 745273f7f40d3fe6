"""Any audio message in, one `AudioChunk` out: told apart by fields, so that no audio message package is needed.

| message | samples | format |
| --- | --- | --- |
| `std_msgs` Int16MultiArray, Float32MultiArray, ... | `data` | the element type; rate and channels as declared |
| `std_msgs/UInt8MultiArray`, ros-drivers `AudioData` | `data` | bytes, as declared (parameters or AudioInfo) |
| ros-drivers `AudioDataStamped` | `audio.data` | bytes, as declared |
| mgonzs13 `AudioStamped`, `Audio` | `audio.audio_data.*_data` | `audio.info` |
| `foxglove_msgs/RawAudio` | `data` | `format`, `sample_rate`, `number_of_channels` |

Bytes that begin like RIFF/WAVE are read as a file, or as its beginning; compressed bytes are refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dtalker_model.errors import AudioError
from dtalker_ros.audio.byte_stream import ByteStream, Samples, lone_bytes
from dtalker_ros.audio.encoded import compressed_error
from dtalker_ros.audio.pcm import UNDECLARED, AudioFormat, check_samples, checked_channels, interleaved, sample_format

_PORTAUDIO_FIELDS = {
    1: "float32_data",
    2: "int32_data",
    4: "int24_data",
    8: "int16_data",
    16: "int8_data",
    32: "uint8_data",
}
"""Field of mgonzs13's AudioData for each PortAudio sample format flag."""


@dataclass(frozen=True)
class AudioChunk:
    """Audio of one message."""

    pcm: NDArray[np.generic]
    """(samples, channels), int16, int32, float32 or float64; at least one sample."""
    sample_rate_hz: int
    stamp_ns: int | None
    """Header stamp, nanoseconds since the epoch of the publisher's clock; None where there is none or it is 0."""

    @property
    def duration_ns(self) -> int:
        """Length of the audio in nanoseconds, rounded."""
        return round(len(self.pcm) * 1_000_000_000 / self.sample_rate_hz)


class AudioReader:
    """The messages of one topic to chunks, one after the other: what a message leaves open, the next one completes."""

    def __init__(self, say: Callable[[str], None] = lambda text: None) -> None:
        """`say` gets a line where messages are cut in a way that may be a wrong declaration, once."""
        self._stream = ByteStream(say)

    def read(self, message: Any, declared: AudioFormat = UNDECLARED) -> AudioChunk | None:
        """The audio that `message` completes, None where it completes no sample; else as `chunk_from_message`."""
        samples, rate_hz = _samples_of(message, declared, self._stream)
        if len(samples) == 0 and self._stream.waits:
            return None
        return _chunk(message, samples, rate_hz)


def chunk_from_message(message: Any, declared: AudioFormat = UNDECLARED) -> AudioChunk:
    """The audio in a `message` that stands alone; `declared` says what bytes and bare arrays are.

    Raises `TypeError` for a message without audio fields, and `AudioError` for audio that cannot be used: compressed,
    empty, cut in the middle of a sample, not finite, or declared in an unknown format.
    """
    return _chunk(message, *_samples_of(message, declared, _Lone()))


def _chunk(message: Any, samples: NDArray[np.generic], rate_hz: int) -> AudioChunk:
    if samples.shape[0] == 0:
        raise AudioError("received an audio message without samples: publish at least one sample in each message")
    check_samples(samples)
    if not 8_000 <= rate_hz <= 192_000:
        raise AudioError(f"sample rate {rate_hz} Hz is out of range, expected 8000 to 192000")
    return AudioChunk(samples, rate_hz, _stamp_ns(message))


class _Samples(Protocol):
    """Who makes samples of the bytes and numbers in messages: `ByteStream`, or `_Lone`."""

    def of_bytes(self, data: bytes, declared: Callable[[], AudioFormat], goes_on: bool = True) -> Samples: ...
    def of_array(self, array: NDArray[np.generic], channels: int) -> NDArray[np.generic]: ...


class _Lone:
    """For a message that must be whole."""

    of_bytes = staticmethod(lone_bytes)
    of_array = staticmethod(interleaved)


def _samples_of(message: Any, declared: AudioFormat, to: _Samples) -> Samples:
    if hasattr(message, "audio"):
        return _samples_of(message.audio, declared, to)
    if hasattr(message, "audio_data"):
        return _from_portaudio(message.audio_data, message.info)
    if hasattr(message, "sample_rate") and hasattr(message, "number_of_channels"):
        return to.of_bytes(
            bytes(message.data),
            lambda: AudioFormat(
                int(message.sample_rate), checked_channels(message.number_of_channels), sample_format(message.format)
            ),
            goes_on=message.format.lower() in ("", "wav", "wave"),
        )
    if not hasattr(message, "data") or isinstance(message.data, str) or hasattr(message, "encoding"):
        raise TypeError(f"{type(message).__name__} has no audio in it: publish one of the audio messages in the README")
    return _from_data(message, declared, to)


def _from_data(message: Any, declared: AudioFormat, to: _Samples) -> Samples:
    """A message whose `data` are bytes or numbers, of which it says no more."""
    data = message.data
    array = np.frombuffer(data, np.uint8) if isinstance(data, (bytes, bytearray)) else np.asarray(data)
    if array.dtype == np.uint8:
        return to.of_bytes(array.tobytes(), lambda: declared)
    if array.size == 0:
        return np.zeros((0, 1), np.int16), declared.sample_rate_hz
    layout = getattr(message, "layout", None)
    flat = array[getattr(layout, "data_offset", 0) :]
    return to.of_array(flat, _layout_channels(layout) or declared.channels), declared.sample_rate_hz


def _layout_channels(layout: Any) -> int | None:
    """Channels that a MultiArrayLayout names with the label 'channels', if it does."""
    dims = getattr(layout, "dim", ())
    return next((checked_channels(dim.size) for dim in dims if dim.label.lower().startswith("channel")), None)


def _from_portaudio(data: Any, info: Any) -> Samples:
    """mgonzs13's AudioData and AudioInfo."""
    name = _PORTAUDIO_FIELDS.get(info.format)
    if name is None or not hasattr(data, name):
        raise AudioError(f"unknown PortAudio format {info.format}: use 1 (float32), 2, 8, 16 or 32 (integers)")
    array = np.asarray(getattr(data, name))
    if array.size == 0:
        return np.zeros((0, 1), np.int16), int(info.rate)
    if name == "int24_data":
        array = array.astype(np.int32) << 8
    return interleaved(array, checked_channels(info.channels)), int(info.rate)


def stamp_of(message: Any) -> Any:
    """The stamp of an audio message of any type, in its header or its own field; None where it has none."""
    return getattr(getattr(message, "header", None), "stamp", None) or getattr(message, "timestamp", None)


def _stamp_ns(message: Any) -> int | None:
    stamp = stamp_of(message)
    return None if stamp is None else (stamp.sec * 1_000_000_000 + stamp.nanosec) or None


def format_from_info(info: Any) -> AudioFormat:
    """The format that ros-drivers' AudioInfo declares; raises `AudioError` where it is compressed or unknown."""
    if info.coding_format.lower() not in ("", "wave", "wav", "pcm", "raw"):
        raise compressed_error(info.coding_format)
    form = sample_format(info.sample_format or "S16LE")
    return AudioFormat(int(info.sample_rate), checked_channels(info.channels), form)
