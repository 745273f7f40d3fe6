"""Messages of one topic, one after the other: headers that hold for what follows, and samples cut in two."""

import array
import io
import struct
from types import SimpleNamespace as Message
from typing import Any

import numpy as np
import pytest
import soundfile

from dtalker_model.errors import AudioError
from dtalker_ros.audio.convert import AudioReader, chunk_from_message
from dtalker_ros.audio.pcm import UNDECLARED, AudioFormat, sample_format

NOISE = np.random.default_rng(3).integers(-20_000, 20_000, (4_801, 2)).astype(np.int16)
SIZES = [(36, 0), (0, 0), (2_000_000_036, 2_000_000_000), (0x7FFFF024, 0x7FFFF000), (0xFFFFFFFF, 0xFFFFFFFF)]
"""Of RIFF and of its data, as writers that cannot seek leave them."""


def wave(subtype: str = "PCM_16", rate_hz: int = 24_000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, NOISE / 32768, rate_hz, format="WAV", subtype=subtype)
    return file.getvalue()


def with_sizes(data: bytes, riff: int, samples: int) -> bytes:
    at = data.index(b"data")
    return data[:4] + struct.pack("<I", riff) + data[8 : at + 4] + struct.pack("<I", samples) + data[at + 8 :]


def heard(reader: AudioReader, pieces: list[bytes], declared: AudioFormat = UNDECLARED) -> tuple[np.ndarray, set[int]]:
    """All samples in -1..1 that the messages give, and their rates."""
    chunks = [reader.read(Message(data=array.array("B", piece)), declared) for piece in pieces]
    known = [chunk for chunk in chunks if chunk is not None]
    scale = {"i": 32768.0, "f": 1.0}
    pcm = [np.asarray(chunk.pcm, np.float64) / scale[chunk.pcm.dtype.kind] for chunk in known]
    return np.concatenate(pcm), {chunk.sample_rate_hz for chunk in known}


def cut(data: bytes, *sizes: int) -> list[bytes]:
    """`data` in pieces of `sizes`, again and again."""
    pieces: list[bytes] = []
    at = 0
    while at < len(data):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(data[at : at + size])
        at += size
    return pieces


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_U8", "PCM_24", "FLOAT", "ULAW"])
@pytest.mark.parametrize("sizes", [(960,), (13, 1001, 3), (100_000,)])
def test_a_header_in_the_first_message_holds_for_those_after_it(subtype: str, sizes: tuple[int, ...]) -> None:
    data = with_sizes(wave(subtype), 0xFFFFFFFF, 0xFFFFFFFF)
    pcm, rates_hz = heard(AudioReader(), cut(data, *sizes))
    assert rates_hz == {24_000}
    expected, _ = soundfile.read(io.BytesIO(wave(subtype)), always_2d=True)
    np.testing.assert_allclose(pcm, expected, atol=1e-6)


@pytest.mark.parametrize(("riff", "samples"), SIZES)
def test_placeholder_sizes_are_read_to_the_end(riff: int, samples: int) -> None:
    data = with_sizes(wave(), riff, samples)
    chunk = chunk_from_message(Message(data=data))
    np.testing.assert_array_equal(np.rint(chunk.pcm * 32768), NOISE)
    pcm, _ = heard(AudioReader(), cut(data, 997))
    np.testing.assert_array_equal(pcm * 32768, NOISE)


def test_after_a_whole_file_raw_bytes_are_what_was_declared() -> None:
    reader = AudioReader()
    heard(reader, [wave()])
    chunk = reader.read(Message(data=NOISE.tobytes()), AudioFormat(16_000, 1))
    assert chunk is not None
    assert (chunk.sample_rate_hz, chunk.pcm.shape) == (16_000, (9602, 1))


def test_a_header_before_each_sentence() -> None:
    pieces = [piece for rate_hz in (24_000, 16_000) for piece in cut(with_sizes(wave("PCM_16", rate_hz), 0, 0), 4000)]
    pcm, rates_hz = heard(AudioReader(), pieces)
    assert rates_hz == {24_000, 16_000}
    np.testing.assert_array_equal(pcm * 32768, np.concatenate([NOISE, NOISE]))


@pytest.mark.parametrize("name", ["S16LE", "S16BE", "S24LE", "F32LE"])
def test_samples_that_are_cut_are_put_together(name: str) -> None:
    form = AudioFormat(16_000, 2, sample_format(name))
    values = NOISE.astype(np.int64)
    data = {
        "S16LE": NOISE.astype("<i2").tobytes(),
        "S16BE": NOISE.astype(">i2").tobytes(),
        "S24LE": (values << 16).astype("<i4").view("u1").reshape(-1, 4)[:, 1:].tobytes(),
        "F32LE": (NOISE / 32768).astype("<f4").tobytes(),
    }[name]
    said: list[str] = []
    reader = AudioReader(said.append)
    chunks = [reader.read(Message(data=piece), form) for piece in cut(data, 101, 1, 1000, 7)]
    pcm = np.concatenate([chunk.pcm.astype(np.float64) for chunk in chunks if chunk is not None])
    np.testing.assert_array_equal(
        np.rint(pcm / np.abs(pcm).max() * 1e6), np.rint(NOISE / np.abs(NOISE.astype(int)).max() * 1e6)
    )
    assert len(said) == 1 and "in the midst of a sample" in said[0]


def test_numbers_that_are_cut_between_channels_are_put_together() -> None:
    reader = AudioReader()
    layout = Message(dim=[], data_offset=0)
    pieces = np.split(NOISE.ravel(), [1, 700, 1405, 1407])
    messages = [Message(layout=layout, data=array.array("h", piece.tobytes())) for piece in pieces]
    chunks = [reader.read(message, AudioFormat(16_000, 2)) for message in messages]
    np.testing.assert_array_equal(np.concatenate([chunk.pcm for chunk in chunks if chunk is not None]), NOISE)


def test_a_raw_audio_message_that_names_its_own_format_is_believed() -> None:
    fields: dict[str, Any] = {"timestamp": Message(sec=0, nanosec=0), "number_of_channels": 1, "sample_rate": 16_000}
    reader = AudioReader()
    reader.read(Message(data=with_sizes(wave(), 0, 0), format="wav", **fields))
    went_on = reader.read(Message(data=NOISE.tobytes(), format="wav", **fields))
    named = reader.read(Message(data=NOISE.tobytes(), format="pcm-s16", **fields))
    assert went_on is not None and named is not None
    assert (went_on.sample_rate_hz, named.sample_rate_hz) == (24_000, 16_000)


def test_too_many_channels_are_refused() -> None:
    file = io.BytesIO()
    soundfile.write(file, np.zeros((100, 65)), 16_000, format="WAV")
    for read in (AudioReader().read, chunk_from_message):
        with pytest.raises(AudioError, match="65 channels"):
            read(Message(data=file.getvalue()))
