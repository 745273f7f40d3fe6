"""Bytes that are not raw PCM: compressed audio is recognised and refused, a RIFF file in one message is read."""

import struct

import numpy as np
from numpy.typing import NDArray

from dtalker_model.errors import AudioError
from dtalker_model.sound_files.unread import UnreadableError
from dtalker_model.sound_files.wave_header import UNKNOWN_FROM

_MAGIC = {b"ID3": "mp3", b"OggS": "Ogg", b"fLaC": "FLAC", b"\x1a\x45\xdf\xa3": "WebM", b"FORM": "AIFF"}

_BITRATE_KBPS = {  # MPEG version 1 and versions 2 and 2.5, by layer (1, 2, 3) and index; index 0 and 15 are invalid
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATE_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}

MOST_SAMPLES = 120_000_000
"""Of one message, all channels together: ten minutes of four channels at 48 kHz."""

_LOUD_RMS = 8000.0
"""mp3 bytes read as 16-bit samples are white noise of about 18900; real audio that begins like mp3 is quiet there."""


def refuse_compressed(data: bytes) -> None:
    """Raise `AudioError` naming the codec if `data` begins like compressed audio."""
    codec = next((name for magic, name in _MAGIC.items() if data.startswith(magic)), None)
    if codec is None and is_mpeg_audio(data):
        codec = "mp3"
    if codec is not None:
        raise compressed_error(codec)


def compressed_error(codec: str) -> AudioError:
    """The error for audio compressed with `codec`, with the way out."""
    return AudioError(
        f"received {codec} bytes, raw PCM is needed: start audio_capture with format:=wave "
        "(or let the publisher send PCM samples or a RIFF/WAVE file in one message)"
    )


def is_mpeg_audio(data: bytes) -> bool:
    """Whether `data` begins with an MPEG audio frame (mp3), and not with PCM that looks like one by chance.

    PCM samples such as -1025 begin like a frame header. So the header must be confirmed: by the length of the message,
    by a second header at its end, or by bytes that are loud white noise when read as samples.
    """
    length = mpeg_frame_bytes(data)
    if length is None:
        return False
    if len(data) == length:
        return True
    if len(data) >= length + 4:
        return mpeg_frame_bytes(data[length:]) is not None and data[length + 1] == data[1]
    return _is_white_noise(data)


def mpeg_frame_bytes(data: bytes) -> int | None:
    """Bytes of the MPEG audio frame whose header `data` begins with, or None if that is no valid header."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return None
    version, layer = data[1] >> 3 & 3, 4 - (data[1] >> 1 & 3)
    bitrate_index, rate_index, padding = data[2] >> 4, data[2] >> 2 & 3, data[2] >> 1 & 1
    if version == 1 or layer == 4 or bitrate_index in (0, 15) or rate_index == 3:
        return None
    bitrate = _BITRATE_KBPS[1 if version == 3 else 2, layer][bitrate_index - 1] * 1000
    rate_hz = _RATE_HZ[version][rate_index]
    if layer == 1:
        return (12 * bitrate // rate_hz + padding) * 4
    samples = 576 if layer == 3 and version != 3 else 1152
    return samples // 8 * bitrate // rate_hz + padding


def _is_white_noise(data: bytes) -> bool:
    samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float64)
    if len(samples) < 16 or np.sqrt(np.mean(samples**2)) < _LOUD_RMS:
        return False
    # The energy of the difference is twice that of white noise, and far below that of loud speech.
    return bool(np.mean(np.diff(samples) ** 2) > np.mean(samples**2))


def read_riff(data: bytes) -> tuple[NDArray[np.generic], int]:
    """A whole RIFF/WAVE file: samples (samples, channels) as float32, and the sample rate in Hz.

    Raises `AudioError` for a file that is cut off or that cannot be read.
    """
    announced = struct.unpack("<I", data[4:8])[0] if len(data) >= 8 else 0
    if data[:4] == b"RIFF" and len(data) + 1 < announced + 8 < UNKNOWN_FROM:
        raise AudioError(
            f"the RIFF header announces {announced + 8} bytes, the message has {len(data)}: "
            "send the whole file in one message, or raw PCM in chunks"
        )
    from dtalker_model.sound_files.reader import SoundReader

    name = f"the RIFF file of {len(data)} bytes"
    try:
        with SoundReader(data, name) as reader:
            info = reader.info
            if info.frames * info.channels > MOST_SAMPLES:
                raise AudioError(f"{name} blows up to more than {MOST_SAMPLES:,} samples")
            return np.concatenate(list(reader.blocks(info.sample_rate_hz))), info.sample_rate_hz
    except UnreadableError as error:
        reason = f" ({error.reason})" if error.reason else ""
        raise AudioError(f"{name} cannot be read{reason}: publish PCM in it, or raw PCM") from error
