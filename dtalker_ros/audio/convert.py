"""Any audio message in, one `AudioChunk` out: told apart by fields, so that no audio message package is needed.

| message | samples | format |
| --- | --- | --- |
| `std_msgs` Int16MultiArray, Float32MultiArray, ... | `data` | the element type; rate and channels as declared |
| `std_msgs/UInt8MultiArray`, ros-drivers `AudioData` | `data` | bytes, as declared (parameters or AudioInfo) |
| ros-drivers `AudioDataStamped` | `audio.data` | bytes, as declared |
| mgonzs13 `AudioStamped`, `Audio` | `audio.audio_data.*_data` | `audio.info` |
| `foxglove_msgs/RawAudio` | `data` | `format`, `sample_rate`, `number_of_channels` |

Bytes that begin like RIFF/WAVE are read as a file, compressed bytes are refused.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dtalker_model.errors import AudioError
from dtalker_ros.audio.encoded import compressed_error, is_riff, read_riff, refuse_compressed
from dtalker_ros.audio.pcm import S16LE, SampleFormat, check_samples, sample_format, samples_of_bytes, widen_8_bit

MAX_CHANNELS = 64
"""More channels than this are taken for a wrong declaration."""

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
class AudioFormat:
    """What bytes are when the message itself does not say."""

    sample_rate_hz: int = 16_000
    channels: int = 1
    form: SampleFormat = S16LE


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


def chunk_from_message(message: Any, declared: AudioFormat = AudioFormat()) -> AudioChunk:
    """The audio in `message`; `declared` says what bytes and bare arrays are.

    Raises `TypeError` for a message without audio fields, and `AudioError` for audio that cannot be used: compressed,
    empty, cut in the middle of a sample, not finite, or declared in an unknown format.
    """
    samples, rate_hz = _samples_of(message, declared)
    if samples.shape[0] == 0:
        raise AudioError("received an audio message without samples: publish at least one sample in each message")
    check_samples(samples)
    if not 8_000 <= rate_hz <= 192_000:
        raise AudioError(f"sample rate {rate_hz} Hz is out of range, expected 8000 to 192000")
    return AudioChunk(samples, rate_hz, _stamp_ns(message))


def _samples_of(message: Any, declared: AudioFormat) -> tuple[NDArray[np.generic], int]:
    if hasattr(message, "audio"):
        return _samples_of(message.audio, declared)
    if hasattr(message, "audio_data"):
        return _from_portaudio(message.audio_data, message.info)
    if hasattr(message, "sample_rate") and hasattr(message, "number_of_channels"):
        return _from_bytes(
            bytes(message.data),
            lambda: AudioFormat(
                int(message.sample_rate), _checked_channels(message.number_of_channels), sample_format(message.format)
            ),
        )
    if not hasattr(message, "data") or isinstance(message.data, str) or hasattr(message, "encoding"):
        raise TypeError(f"{type(message).__name__} has no audio in it: publish one of the audio messages in the README")
    return _from_data(message, declared)


def _from_data(message: Any, declared: AudioFormat) -> tuple[NDArray[np.generic], int]:
    """A message whose `data` are bytes or numbers, of which it says no more."""
    data = message.data
    array = np.frombuffer(data, np.uint8) if isinstance(data, (bytes, bytearray)) else np.asarray(data)
    if array.dtype == np.uint8:
        return _from_bytes(array.tobytes(), lambda: declared)
    if array.size == 0:
        return np.zeros((0, 1), np.int16), declared.sample_rate_hz
    layout = getattr(message, "layout", None)
    flat = array[getattr(layout, "data_offset", 0) :]
    return _interleaved(flat, _layout_channels(layout) or declared.channels), declared.sample_rate_hz


def _layout_channels(layout: Any) -> int | None:
    """Channels that a MultiArrayLayout names with the label 'channels', if it does."""
    dims = getattr(layout, "dim", ())
    return next((_checked_channels(dim.size) for dim in dims if dim.label.lower().startswith("channel")), None)


def _from_bytes(data: bytes, declared: Any) -> tuple[NDArray[np.generic], int]:
    """Bytes: a RIFF file, or raw PCM in the format that `declared()` gives (asked only when it is needed)."""
    if is_riff(data):
        return read_riff(data)
    refuse_compressed(data)
    audio_format: AudioFormat = declared()
    return samples_of_bytes(data, audio_format.form, audio_format.channels), audio_format.sample_rate_hz


def _from_portaudio(data: Any, info: Any) -> tuple[NDArray[np.generic], int]:
    """mgonzs13's AudioData and AudioInfo."""
    name = _PORTAUDIO_FIELDS.get(info.format)
    if name is None or not hasattr(data, name):
        raise AudioError(f"unknown PortAudio format {info.format}: use 1 (float32), 2, 8, 16 or 32 (integers)")
    array = np.asarray(getattr(data, name))
    if array.size == 0:
        return np.zeros((0, 1), np.int16), int(info.rate)
    if name == "int24_data":
        array = array.astype(np.int32) << 8
    return _interleaved(array, _checked_channels(info.channels)), int(info.rate)


def _interleaved(array: NDArray[np.generic], channels: int) -> NDArray[np.generic]:
    """A flat array as (samples, channels) of a type that the core takes."""
    if array.dtype in (np.int8, np.uint8):
        array = widen_8_bit(array)
    if array.dtype not in (np.int16, np.int32, np.float32, np.float64):
        raise AudioError(f"samples of type {array.dtype}, expected 16- or 32-bit integers or floats")
    if array.size % channels:
        raise AudioError(f"{array.size} samples do not divide into {channels} channels: check audio_channels")
    return array.reshape(-1, channels)


def _checked_channels(channels: int) -> int:
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioError(f"{channels} channels are out of range, expected 1 to {MAX_CHANNELS}")
    return int(channels)


def _stamp_ns(message: Any) -> int | None:
    stamp = getattr(getattr(message, "header", None), "stamp", None) or getattr(message, "timestamp", None)
    if stamp is None:
        return None
    return (stamp.sec * 1_000_000_000 + stamp.nanosec) or None


def format_from_info(info: Any) -> AudioFormat:
    """The format that ros-drivers' AudioInfo declares; raises `AudioError` where it is compressed or unknown."""
    if info.coding_format.lower() not in ("", "wave", "wav", "pcm", "raw"):
        raise compressed_error(info.coding_format)
    form = sample_format(info.sample_format or "S16LE")
    return AudioFormat(int(info.sample_rate), _checked_channels(info.channels), form)
