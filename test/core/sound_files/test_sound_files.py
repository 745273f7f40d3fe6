"""The reader of sound files: every subtype, joined files, placeholder sizes, names of any kind, and what it refuses."""

import io
import os
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sound_rig import PLACEHOLDERS, RATE_HZ, read, sound, tone, with_sizes

from dtalker_model.errors import AudioError
from dtalker_model.sound_files.reader import SoundReader

SUBTYPES = ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"]
FORMATS = [
    "WAV",
    "WAVEX",
    "RF64",
    "W64",
    "AIFF",
    "AU",
    "CAF",
    "FLAC",
    "OGG",
    "MP3",
    "VOC",
    "NIST",
    "IRCAM",
    "XI",
    "SVX",
    "AVR",
    "MAT4",
    "MAT5",
    "MPC2K",
    "PAF",
    "PVF",
    "SDS",
]
COARSE = {"PCM_U8": 0.01, "ULAW": 0.03, "ALAW": 0.03}


@pytest.mark.parametrize("subtype", SUBTYPES)
def test_every_subtype_has_its_level_as_floats_and_as_16_bits(subtype: str) -> None:
    data = sound("WAV", subtype)
    np.testing.assert_allclose(read(data)[:, 0], tone(), atol=COARSE.get(subtype, 5e-5))
    with SoundReader(data, "sound") as reader:
        whole = np.concatenate(list(reader.blocks_16(999)))
    assert whole.dtype == np.int16
    np.testing.assert_allclose(whole[:, 0] / 32768, tone(), atol=COARSE.get(subtype, 5e-5))


def test_floats_beyond_full_scale_are_clipped_and_nonsense_is_refused() -> None:
    with SoundReader(sound("WAV", "FLOAT", 3 * tone()), "loud") as reader:
        clipped = np.concatenate(list(reader.blocks_16(1000)))
    assert (clipped.min(), clipped.max()) == (-32768, 32767)
    for pcm, fault in ((np.full(10, np.nan), "NaN"), (np.full(10, 9000.0), "divide 16-bit values by 32768")):
        with (
            pytest.raises(AudioError, match=f"^odd: .*{fault}"),
            SoundReader(sound("WAV", "FLOAT", pcm), "odd") as reader,
        ):
            list(reader.blocks_16(1000))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("count", [2, 3])
def test_joined_files_are_read_one_after_the_other(tmp_path: Path, form: str, count: int) -> None:
    rate_hz = 44_100 if form == "XI" else RATE_HZ
    lengths_s, pitches_hz = (0.5, 0.8, 0.5)[:count], (220, 330, 150)
    files = [sound(form, pcm=tone(s, rate_hz, hz), rate_hz=rate_hz) for s, hz in zip(lengths_s, pitches_hz)]
    alone = [read(file) for file in files]
    assert [len(pcm) / rate_hz for pcm in alone] == pytest.approx(lengths_s, abs=1e-4)
    (tmp_path / "joined").write_bytes(b"".join(files))
    for source in (b"".join(files), tmp_path / "joined"):
        np.testing.assert_allclose(read(source), np.concatenate(alone), atol=1e-4)


def test_joined_files_whose_joint_cannot_be_found_are_one_error() -> None:
    """Nothing in HTK's header tells it from samples, but its length does not fit the file's."""
    with pytest.raises(AudioError, match="not a sound file that can be read"):
        read(sound("HTK") + sound("HTK", pcm=tone(0.5)))


@pytest.mark.parametrize("form", ["WAV", "FLAC"])
def test_joined_files_of_different_rates_are_one_error(form: str) -> None:
    data = sound(form) + sound(form, pcm=tone(0.5, 24_000), rate_hz=24_000)
    with pytest.raises(AudioError, match=r"joined of sounds that differ: 16000 Hz with 1 channel.*24000 Hz"):
        read(data)


def test_joined_files_of_a_codec_that_cannot_be_taken_apart_are_one_error() -> None:
    with pytest.raises(AudioError, match=r"several coded WAV files are joined in it; convert it: ffmpeg -i "):
        read(2 * sound("WAV", "IMA_ADPCM"))
    with pytest.raises(AudioError, match=r"from byte [0-9]+ on it holds another sound file, which cannot be read"):
        read(sound("FLAC") + sound("FLAC")[:60])


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "ULAW"])
@pytest.mark.parametrize(("riff", "data"), PLACEHOLDERS)
@pytest.mark.parametrize("count", [1, 2])
def test_placeholder_sizes_are_read_to_the_end(subtype: str, riff: int, data: int, count: int) -> None:
    one = sound("WAV", subtype)
    np.testing.assert_array_equal(read(count * with_sizes(one, riff, data)), np.tile(read(one), (count, 1)))


def field(form: str | bytes, name: bytes, at: int, value: bytes) -> bytes:
    """A file, or the bytes of one, with `value` `at` bytes behind the beginning of `name`."""
    data = form if isinstance(form, bytes) else sound(form)
    at += data.index(name)
    return data[:at] + value + data[at + len(value) :]


def little_endian_au() -> bytes:
    file = io.BytesIO()
    soundfile.write(file, tone(), RATE_HZ, format="AU", endian="LITTLE")
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        *(field("AU", b".snd", 8, struct.pack(">I", size)) for size in (0, 0x7FFFF000, 0xFFFFFFFF)),
        *(field(little_endian_au(), b"dns.", 8, struct.pack("<I", size)) for size in (0, 0xFFFFFFFF)),
        field("AIFF", b"COMM", 10, bytes(4)),
        field(field("AIFF", b"COMM", 10, bytes(4)), b"SSND", 4, struct.pack(">I", 8)),
        *(field("AIFF", b"SSND", 4, struct.pack(">I", size)) for size in (0, 8, 0x7FFFFFFF, 0xFFFFFFFF)),
        *(field("CAF", b"data", 4, struct.pack(">q", size)) for size in (0, -1, 2**62)),
        *(field("W64", b"data\xf3", 16, struct.pack("<Q", size)) for size in (0, 24, 2**63 - 1, 2**64 - 1)),
    ],
)
@pytest.mark.parametrize("count", [1, 2])
def test_placeholder_sizes_of_other_formats_are_read_to_the_end(data: bytes, count: int, tmp_path: Path) -> None:
    (tmp_path / "streamed").write_bytes(count * data)
    for source in (count * data, tmp_path / "streamed"):
        np.testing.assert_allclose(read(source), np.tile(tone(), count)[:, None], atol=5e-5)


@pytest.mark.parametrize("form", ["AU", "AIFF", "CAF", "W64"])
def test_a_file_of_another_format_that_is_truly_empty_holds_no_samples(form: str) -> None:
    with pytest.raises(AudioError, match="sound: holds no samples"):
        read(sound(form, pcm=np.zeros(0)))


def test_a_long_file_whose_64_bit_sizes_were_never_filled_in() -> None:
    data = bytearray(sound("RF64"))
    data[20:44] = bytes(24)
    assert len(read(bytes(data))) == RATE_HZ


def test_a_flac_of_unknown_length_is_read_to_its_end() -> None:
    data = bytearray(sound("FLAC"))
    data[21] &= 0xF0
    data[22:26] = bytes(4)  # what `ffmpeg -f flac -` leaves there
    with SoundReader(bytes(data), "sound") as reader:
        assert (reader.info.frames, reader.info.duration_s) == (0, 0.0)
    np.testing.assert_allclose(read(bytes(data))[:, 0], tone(), atol=5e-5)


def test_a_file_that_is_truly_empty_holds_no_samples() -> None:
    empty = sound("WAV", pcm=np.zeros(0))
    noted = with_sizes(empty, 60, 0) + b"LIST" + struct.pack("<I", 16) + b"INFOISFT" + struct.pack("<I", 4) + b"none"
    for data in (empty, noted):
        with pytest.raises(AudioError, match="sound: holds no samples"):
            read(data)


def test_notes_behind_the_samples_are_not_heard() -> None:
    note = b"LIST" + struct.pack("<I", 4) + b"RIFF"
    wave = sound("WAV")
    noted = with_sizes(wave, len(wave) - 8 + len(note), 2 * RATE_HZ) + note
    assert len(read(noted)) == RATE_HZ
    assert len(read(2 * noted)) == 2 * RATE_HZ


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
@pytest.mark.parametrize("name", [b"caf\xe9.wav", b"-dash.wav", b"with:colon.wav", b"%d.wav", b"x.raw"])
@pytest.mark.parametrize("count", [1, 2])
def test_names_of_every_kind(tmp_path: Path, name: bytes, count: int) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.write_bytes(count * sound("WAV"))
    assert len(read(path)) == count * RATE_HZ


@pytest.mark.parametrize(
    ("name", "head", "fault"),
    [
        ("a.m4a", b"\x00\x00\x00\x20ftypM4A " + bytes(200), "is M4A or MP4, which is not read"),
        ("a.webm", b"\x1a\x45\xdf\xa3" + bytes(200), "is WebM or Matroska, which is not read"),
        ("a.amr", b"#!AMR\n" + bytes(200), "is AMR, which is not read"),
        ("a.txt", b"hello" * 100, "not a sound file that can be read"),
    ],
)
def test_what_is_not_read_is_to_be_converted(tmp_path: Path, name: str, head: bytes, fault: str) -> None:
    path = tmp_path / name
    path.write_bytes(head)
    with pytest.raises(AudioError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: {fault} (WAV, FLAC, OGG, MP3, AIFF and others are)")
    assert str(caught.value).endswith(f"convert it: ffmpeg -i {path} {tmp_path}/a.wav")


def test_what_cannot_be_opened_is_one_error(tmp_path: Path) -> None:
    odd = {
        "x" * 100_000: "File name too long",
        "a\0b": "null",
        str(tmp_path): "is a folder",
        str(tmp_path / "no"): "No such",
    }
    for name, fault in odd.items():
        with pytest.raises(AudioError, match=fault):
            read(Path(name))


def test_rate_and_channels_are_checked_before_anything_is_decoded() -> None:
    with pytest.raises(AudioError, match=r"^many: 65 channels, at most 64"):
        SoundReader(sound("WAV", pcm=np.zeros((10, 65))), "many")
    with pytest.raises(AudioError, match=r"^slow: sample rate must be a whole number of Hz in 8000\.\.192000"):
        SoundReader(sound("WAV", rate_hz=4_000), "slow")
