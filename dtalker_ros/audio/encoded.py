"""Bytes that are not raw PCM: compressed audio is recognised and refused, a RIFF file in one message is read."""

import io
import struct

import numpy as np
from numpy.typing import NDArray

from dtalker_model.errors import AudioError

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

_LOUD_RMS = 8000.0
"""mp3 bytes read as 16-bit samples are white noise of about 18900; real audio that begins like mp3 is quiet there."""

_UNKNOWN_SIZES = (0, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFFF - 8, 0x7FFFFFFF - 8)
"""What writers that cannot seek put into a RIFF header in place of the length."""


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


def is_riff(data: bytes) -> bool:
    """Whether `data` begins like a RIFF/WAVE file."""
    return data[:4] in (b"RIFF", b"RIFX", b"RF64") and data[8:12] == b"WAVE"


def read_riff(data: bytes) -> tuple[NDArray[np.generic], int]:
    """A whole RIFF/WAVE file: samples (samples, channels) as int16 or float32, and the sample rate in Hz.

    Raises `AudioError` for a file that is cut off or that libsndfile cannot read.
    """
    import soundfile

    announced = struct.unpack("<I", data[4:8])[0]
    if data[:4] == b"RIFF" and announced not in _UNKNOWN_SIZES and announced + 8 > len(data) + 1:
        raise AudioError(
            f"the RIFF header announces {announced + 8} bytes, the message has {len(data)}: "
            "send the whole file in one message, or raw PCM in chunks"
        )
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            dtype = "int16" if file.subtype in ("PCM_16", "PCM_U8") else "float32"
            return file.read(dtype=dtype, always_2d=True), file.samplerate
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise AudioError(f"the RIFF file of {len(data)} bytes cannot be read: {error}") from error
