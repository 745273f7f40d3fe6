"""Audio messages of every kind become the same samples; what cannot be used is refused with a helpful message."""

import array
import io
from types import SimpleNamespace as Message
from typing import Any

import numpy as np
import pytest
import soundfile

from dtalker_model.errors import AudioError
from dtalker_ros.audio.convert import AudioFormat, chunk_from_message, format_from_info
from dtalker_ros.audio.encoded import mpeg_frame_bytes
from dtalker_ros.audio.pcm import sample_format

STAMP = Message(sec=12, nanosec=345)
TONE = (10_000 * np.sin(np.arange(320) / 5)).astype(np.int16)
NO_LAYOUT = Message(dim=[], data_offset=0)


def portaudio(flag: int, name: str, data: np.ndarray, channels: int = 1) -> Any:
    names = ("float32_data", "int32_data", "int16_data", "int8_data", "uint8_data")
    fields: dict[str, Any] = {field: array.array("b") for field in names}
    fields[name] = array.array(data.dtype.char, data.tobytes())
    info = Message(format=flag, channels=channels, rate=16_000, chunk=len(data))
    return Message(header=Message(stamp=STAMP), audio=Message(audio_data=Message(**fields), info=info))


def riff(subtype: str = "PCM_16", samples: np.ndarray = TONE, rate_hz: int = 16_000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format="WAV", subtype=subtype)
    return file.getvalue()


def raw_audio(**changes: Any) -> Any:
    fields = {"timestamp": STAMP, "data": array.array("B", TONE.tobytes()), "format": "pcm-s16"}
    return Message(**{**fields, "sample_rate": 16_000, "number_of_channels": 1, **changes})


FLOAT = (TONE / 32768).astype(np.float32)
SAME_SAMPLES = {
    "int16": Message(layout=NO_LAYOUT, data=array.array("h", TONE.tobytes())),
    "float32": Message(layout=NO_LAYOUT, data=array.array("f", FLOAT.tobytes())),
    "int32": Message(layout=NO_LAYOUT, data=array.array("i", (TONE.astype(np.int32) << 16).tobytes())),
    "bytes": Message(data=array.array("B", TONE.tobytes())),
    "stamped": Message(header=Message(stamp=STAMP), audio=Message(data=array.array("B", TONE.tobytes()))),
    "raw_audio": raw_audio(),
    "portaudio_int16": portaudio(8, "int16_data", TONE),
    "portaudio_float32": portaudio(1, "float32_data", FLOAT),
    "portaudio_int32": portaudio(2, "int32_data", TONE.astype(np.int32) << 16),
    "riff": Message(data=array.array("B", riff())),
    "riff_in_raw_audio": raw_audio(data=array.array("B", riff()), format="wav"),
}


def as_float(pcm: np.ndarray) -> np.ndarray:
    return np.asarray(pcm, np.float64) / {"i2": 32768.0, "i4": 2.0**31, "f4": 1.0, "f8": 1.0}[pcm.dtype.str[1:]]


@pytest.mark.parametrize("kind", SAME_SAMPLES)
def test_every_kind_carries_the_same_samples(kind: str) -> None:
    chunk = chunk_from_message(SAME_SAMPLES[kind])
    assert chunk.pcm.shape == (320, 1)
    assert chunk.sample_rate_hz == 16_000
    assert chunk.duration_ns == 20_000_000
    np.testing.assert_array_equal(as_float(chunk.pcm)[:, 0], TONE / 32768)


@pytest.mark.parametrize(
    ("kind", "stamp"), [("int16", None), ("stamped", 12_000_000_345), ("raw_audio", 12_000_000_345)]
)
def test_stamp(kind: str, stamp: int | None) -> None:
    assert chunk_from_message(SAME_SAMPLES[kind]).stamp_ns == stamp


def test_stamp_of_zero_is_none() -> None:
    message = Message(header=Message(stamp=Message(sec=0, nanosec=0)), audio=Message(data=TONE.tobytes()))
    assert chunk_from_message(message).stamp_ns is None


@pytest.mark.parametrize("name", ["S8", "U8", "S16LE", "S16BE", "S24LE", "S24BE", "S32LE", "F32LE", "F64BE"])
def test_declared_formats(name: str) -> None:
    form = sample_format(name)
    values = np.array([-1.0, -0.5, 0.0, 0.5])
    data = _encoded(values, name)
    chunk = chunk_from_message(Message(data=data), AudioFormat(48_000, 2, form))
    assert chunk.pcm.shape == (2, 2)
    assert chunk.sample_rate_hz == 48_000
    np.testing.assert_allclose(as_float(chunk.pcm).reshape(-1), values, atol=1e-9)


def _encoded(values: np.ndarray, name: str) -> bytes:
    order = ">" if name.endswith("BE") else "<"
    bits = int(name[1:].rstrip("LBE"))
    if name[0] == "F":
        return values.astype(f"{order}f{bits // 8}").tobytes()
    whole = (values * 2 ** (bits - 1)).astype(np.int64) + (128 if name == "U8" else 0)
    sizes = b"".join(int(v).to_bytes(8, "big" if order == ">" else "little", signed=True) for v in whole)
    width = bits // 8
    cells = [sizes[i : i + 8] for i in range(0, len(sizes), 8)]
    return b"".join(cell[-width:] if order == ">" else cell[:width] for cell in cells)


@pytest.mark.parametrize("alias", ["s16le", "pcm-s16", "int16", "PCM_S16", "S16"])
def test_aliases(alias: str) -> None:
    assert sample_format(alias).name == "S16LE"


def test_8_bit_portaudio() -> None:
    assert chunk_from_message(portaudio(16, "int8_data", np.array([-128, 0, 64], np.int8))).pcm[:, 0].tolist() == [
        -32768,
        0,
        16384,
    ]
    assert chunk_from_message(portaudio(32, "uint8_data", np.array([0, 128], np.uint8))).pcm[:, 0].tolist() == [
        -32768,
        0,
    ]


def test_channels_of_the_layout_win() -> None:
    layout = Message(dim=[Message(label="samples", size=160), Message(label="channels", size=2)], data_offset=0)
    assert chunk_from_message(Message(layout=layout, data=array.array("h", TONE.tobytes()))).pcm.shape == (160, 2)


def test_riff_of_another_rate_and_width() -> None:
    stereo = np.stack([TONE, -TONE], axis=1)
    chunk = chunk_from_message(Message(data=riff("PCM_24", stereo, 44_100)))
    assert chunk.sample_rate_hz == 44_100
    np.testing.assert_allclose(as_float(chunk.pcm), stereo / 32768, atol=1e-6)


def test_riff_with_unknown_length() -> None:
    data = riff()
    streamed = data[:4] + b"\xff\xff\xff\xff" + data[8:]
    assert len(chunk_from_message(Message(data=streamed)).pcm) == 320


def mp3_frame() -> bytes:
    header = bytes([0xFF, 0xFB, 0x90, 0x64])
    length = mpeg_frame_bytes(header)
    assert length == 417  # 128 kbit/s at 44.1 kHz, MPEG 1 layer III
    return header + np.random.default_rng(1).bytes(length - 4)


COMPRESSED = {
    "one frame": (mp3_frame(), "mp3"),
    "two frames": (mp3_frame() * 2, "mp3"),
    "half a frame": (mp3_frame()[:300], "mp3"),
    "ID3 tag": (b"ID3\x04" + bytes(60), "mp3"),
    "Ogg": (b"OggS" + bytes(60), "Ogg"),
    "FLAC": (b"fLaC" + bytes(60), "FLAC"),
}


@pytest.mark.parametrize("name", COMPRESSED)
def test_compressed_bytes_are_refused_with_the_way_out(name: str) -> None:
    data, codec = COMPRESSED[name]
    with pytest.raises(AudioError, match=f"received {codec} bytes, raw PCM is needed.*format:=wave"):
        chunk_from_message(Message(data=array.array("B", data)))


def test_real_mp3_from_libsndfile_is_refused() -> None:
    file = io.BytesIO()
    soundfile.write(file, np.tile(FLOAT, 50), 16_000, format="MP3")
    with pytest.raises(AudioError, match="received mp3 bytes"):
        chunk_from_message(Message(data=file.getvalue()))


def test_quiet_pcm_that_begins_like_mp3_is_audio() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 900, (2000, 160)).astype(np.int16)
    samples[:, 0] = -1025  # bytes FF FB
    samples[:, 1] = 0x0690  # bytes 90 06: with the sample before, the header of an mp3 frame
    for row in samples:
        assert len(chunk_from_message(Message(data=row.tobytes())).pcm) == 160


BAD = {
    "odd bytes": (Message(data=b"abc"), AudioFormat(), "3 bytes of S16LE with 1 channel.* no whole number"),
    "empty bytes": (Message(data=b""), AudioFormat(), "without samples"),
    "empty array": (Message(layout=NO_LAYOUT, data=array.array("h")), AudioFormat(), "without samples"),
    "nan": (
        Message(layout=NO_LAYOUT, data=array.array("f", [0.0, float("nan")])),
        AudioFormat(),
        "1 of 2 samples are NaN or infinite",
    ),
    "loud floats": (Message(layout=NO_LAYOUT, data=array.array("f", [12000.0])), AudioFormat(), "12000.*divide.*32768"),
    "wrong format": (raw_audio(format="opus"), AudioFormat(), "unknown sample format 'opus': use one of"),
    "channels": (raw_audio(number_of_channels=0), AudioFormat(), "0 channels are out of range"),
    "rate": (raw_audio(sample_rate=100), AudioFormat(), "sample rate 100 Hz is out of range, expected 8000 to 192000"),
    "flag": (portaudio(3, "int16_data", TONE), AudioFormat(), "unknown PortAudio format 3"),
    "uneven": (portaudio(8, "int16_data", TONE[:319], 2), AudioFormat(), "319 samples do not divide into 2 channels"),
    "cut RIFF": (Message(data=riff()[:200]), AudioFormat(), "announces 684 bytes, the message has 200"),
    "broken RIFF": (Message(data=b"RIFF\0\0\0\0WAVEjunkjunk"), AudioFormat(), "RIFF file of 20 bytes cannot be read"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_audio_says_what_and_what_to_do(name: str) -> None:
    message, declared, expected = BAD[name]
    with pytest.raises(AudioError, match=expected):
        chunk_from_message(message, declared)


@pytest.mark.parametrize("message", [Message(data="hello"), Message(width=3), Message(data=b"ab", encoding="rgb8")])
def test_other_messages_are_no_audio(message: Any) -> None:
    with pytest.raises(TypeError, match="has no audio in it"):
        chunk_from_message(message)


def test_audio_info() -> None:
    info = Message(channels=2, sample_rate=48_000, sample_format="S16LE", bitrate=0, coding_format="wave")
    assert format_from_info(info) == AudioFormat(48_000, 2, sample_format("S16LE"))
    info.coding_format = "mp3"
    with pytest.raises(AudioError, match="format:=wave"):
        format_from_info(info)
