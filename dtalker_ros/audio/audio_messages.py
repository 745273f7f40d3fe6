"""Audio as any of the message kinds that robots publish: the other direction of `convert.py`."""

import io
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dtalker_model.errors import AudioError
from dtalker_ros.audio.audio_topics import message_class

PORTAUDIO_INT16 = 8


@dataclass(frozen=True)
class OutgoingAudio:
    """One chunk to publish."""

    pcm: NDArray[np.int16]
    """(samples, channels)."""
    sample_rate_hz: int
    stamp_ns: int
    """Time of its first sample."""


@dataclass(frozen=True)
class Kind:
    """A message kind by the name that parameter `kind` takes."""

    type_name: str
    fill: Callable[[Any, OutgoingAudio], None]


def _int16(message: Any, audio: OutgoingAudio) -> None:
    _label_channels(message, audio)
    message.data = _array("h", audio.pcm)


def _float32(message: Any, audio: OutgoingAudio) -> None:
    _label_channels(message, audio)
    message.data = _array("f", (audio.pcm / np.float32(32768)).astype(np.float32))


def _label_channels(message: Any, audio: OutgoingAudio) -> None:
    """Say in the layout how many channels there are, where there is more than one."""
    samples, channels = audio.pcm.shape
    if channels == 1:
        return
    dimension = message_class("std_msgs/msg/MultiArrayDimension")
    message.layout.dim = [
        dimension(label="samples", size=samples, stride=samples * channels),
        dimension(label="channels", size=channels, stride=channels),
    ]


def _bytes(message: Any, audio: OutgoingAudio) -> None:
    message.data = _array("B", audio.pcm.astype("<i2"))


def _stamped_bytes(message: Any, audio: OutgoingAudio) -> None:
    _stamp(message.header.stamp, audio)
    _bytes(message.audio, audio)


def _portaudio(message: Any, audio: OutgoingAudio) -> None:
    _stamp(message.header.stamp, audio)
    message.audio.audio_data.int16_data = _array("h", audio.pcm)
    info = message.audio.info
    info.format, info.channels = PORTAUDIO_INT16, audio.pcm.shape[1]
    info.rate, info.chunk = audio.sample_rate_hz, len(audio.pcm)


def _raw_audio(message: Any, audio: OutgoingAudio) -> None:
    _stamp(message.timestamp, audio)
    _bytes(message, audio)
    message.format, message.sample_rate = "pcm-s16", audio.sample_rate_hz
    message.number_of_channels = audio.pcm.shape[1]


def _riff(message: Any, audio: OutgoingAudio) -> None:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, audio.pcm, audio.sample_rate_hz, format="WAV", subtype="PCM_16")
    message.data = _array("B", np.frombuffer(file.getvalue(), np.uint8))


def _stamp(stamp: Any, audio: OutgoingAudio) -> None:
    stamp.sec, stamp.nanosec = divmod(audio.stamp_ns, 1_000_000_000)


def _array(code: str, values: NDArray[np.generic]) -> Any:
    """An `array.array`, which rclpy copies at once, where a list is checked item by item."""
    return array(code, values.tobytes())


KINDS: dict[str, Kind] = {
    "int16": Kind("std_msgs/msg/Int16MultiArray", _int16),
    "float32": Kind("std_msgs/msg/Float32MultiArray", _float32),
    "uint8": Kind("std_msgs/msg/UInt8MultiArray", _bytes),
    "audio_data": Kind("audio_common_msgs/msg/AudioData", _bytes),
    "audio_data_stamped": Kind("audio_common_msgs/msg/AudioDataStamped", _stamped_bytes),
    "audio_stamped": Kind("audio_common_msgs/msg/AudioStamped", _portaudio),
    "raw_audio": Kind("foxglove_msgs/msg/RawAudio", _raw_audio),
    "wav": Kind("std_msgs/msg/UInt8MultiArray", _riff),
}
"""Every kind; `wav` is a whole RIFF file in each message."""

SELF_DESCRIBING = ("audio_stamped", "raw_audio", "wav")
"""Kinds whose messages say their sample rate and channels."""


class AudioEncoder:
    """Makes messages of one kind."""

    def __init__(self, kind: str) -> None:
        """Raises `AudioError` for an unknown kind, or where its package is not sourced or of another flavour."""
        if kind not in KINDS:
            raise AudioError(f"kind: received {kind!r}, expected one of {', '.join(KINDS)}")
        self._fill = KINDS[kind].fill
        self.message_type = message_class(KINDS[kind].type_name)
        if kind == "audio_data" and not hasattr(self.message_type(), "data"):
            raise AudioError("kind 'audio_data' needs audio_common_msgs of ros-drivers; mgonzs13's is sourced")

    def message(self, audio: OutgoingAudio) -> Any:
        """`audio` as a message."""
        message = self.message_type()
        self._fill(message, audio)
        return message
