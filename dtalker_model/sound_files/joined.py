"""Sound files laid end to end in one, as servers that speak sentence by sentence send them: where each begins."""

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

_OGG = re.compile(rb"OggS\x00[\x02\x06]\x00{8}")
"""A page that begins a stream, at time 0."""
_MP3 = re.compile(
    rb"ID3[\x02-\x04]\x00[\x00-\xff][\x00-\x7f]{4}"
    rb"|\xff[\xe2-\xe7\xf2-\xff][\x10-\xef][\x00-\xff](?:\x00\x00)?(?:\x00{9}|\x00{17}|\x00{32})(?:Xing|Info)"
)
"""A tag, or the silent first frame that says how long the file is."""
_FORMATS = (
    re.compile(rb"fLaC[\x00\x80]\x00\x00\x22"),
    re.compile(rb"FORM[\x00-\xff]{4}(?:AIFF|AIFC)(?:COMM|FVER|COMT|NAME|AUTH|ANNO|MARK|ID3 )"),
    re.compile(rb"FORM[\x00-\xff]{4}(?:8SVX|16SV)VHDR"),
    re.compile(
        rb"\.snd\x00\x00[\x00-\x04][\x00-\xff]{5}\x00{3}[\x01-\x1b]\x00[\x00-\x02][\x00-\xff]{2}\x00{3}[\x01-\x40]"
    ),
    re.compile(
        rb"dns\.[\x00-\xff][\x00-\x04]\x00\x00[\x00-\xff]{4}[\x01-\x1b]\x00{3}[\x00-\xff]{2}[\x00-\x02]\x00[\x01-\x40]\x00{3}"
    ),
    re.compile(rb"caff\x00\x01\x00\x00desc"),
    re.compile(rb"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"),
    re.compile(rb"Creative Voice File\x1a\x1a\x00"),
    re.compile(rb"NIST_1A\n   1024\n"),
    re.compile(rb"PVF1\n\d+ \d+ \d+\n"),
    re.compile(rb" paf\x00{4}[\x00-\x01]\x00{3}"),
    re.compile(rb"2BIT[\x00-\xff]{8}\x00[\x00-\xff]{2}"),
    re.compile(
        rb"(?:\x00{4}(?:\x01\x00{3}){2}\x00{4}\x0b\x00{3}|\x00\x00\x03\xe8(?:\x00{3}\x01){2}\x00{7}\x0b)samplerate\x00"
    ),
    re.compile(rb"MATLAB 5\.0 MAT-file"),
    re.compile(rb"Extended Instrument: "),
    re.compile(rb"ALawSoundFile\*\*\x00"),
    re.compile(rb"\xf0\x7e[\x00-\x7f]\x01[\x00-\x7f]{16}\xf7"),
)
"""How other formats begin: so many bits that no sound has them by chance."""

_TELLING = 16
"""First bytes of a file of any other format; where they come again, so does the file's kind."""
_BLOCK = 1 << 20
_OVERLAP = 64
_LONGEST_GAP = 2048
"""Between an MP3's tag and its first frame."""


def starts(file: BinaryIO) -> list[int]:
    """Offsets in `file` at which a sound file begins: 0, and more where several are joined. RIFF is not looked into."""
    head = _read(file, 0, _OVERLAP)
    if _OGG.match(head):
        return _ogg_starts(file)
    if head[:3] == b"ID3" or (head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xE0 == 0xE0):
        return _mp3_starts(file)
    pattern = next((pattern for pattern in _FORMATS if pattern.match(head)), None)
    if pattern is None and len(set(head[:_TELLING])) < 3:
        return [0]
    return [at for at, _ in matches(file, pattern or re.compile(re.escape(head[:_TELLING])))]


def known_format(head: bytes) -> bool:
    """Whether `head` (64 bytes or more) begins like a sound file of a format that is looked into here."""
    mpeg = head[:3] == b"ID3" or (head[:1] == b"\xff" and head[1:2] >= b"\xe2")
    return mpeg or bool(_OGG.match(head)) or any(pattern.match(head) for pattern in _FORMATS)


def matches(file: BinaryIO, pattern: re.Pattern[bytes], begin: int = 0) -> Iterator[tuple[int, bytes]]:
    """Where `pattern` (of at most 64 bytes) occurs from offset `begin` on, and what matched."""
    next_at, tail = begin, b""
    while block := _read(file, next_at, _BLOCK):
        data, base = tail + block, next_at - len(tail)
        last = 0
        for match in pattern.finditer(data):
            yield base + match.start(), match[0]
            last = match.end()
        next_at += len(block)
        tail = data[max(last, len(data) - _OVERLAP) :]


def _ogg_starts(file: BinaryIO) -> list[int]:
    """Streams that begin together are one file: their first pages follow each other."""
    found, page_end = [], -1
    for at, _ in matches(file, _OGG):
        if at != page_end:
            found.append(at)
        head = _read(file, at, 27 + 255)
        segments = head[26] if len(head) > 26 else 0
        page_end = at + 27 + segments + sum(head[27 : 27 + segments])
    return found


def _mp3_starts(file: BinaryIO) -> list[int]:
    found, tag_end = [0], 0
    for at, matched in matches(file, _MP3):
        is_tag = matched[:3] == b"ID3"
        end = at + 10 + _synchsafe(matched[6:10]) if is_tag else at
        if is_tag and at > 0 and not _is_frame(_read(file, end, 2)):
            continue  # at the end of a file, or in the midst of sound
        if at > 0 and not tag_end <= at <= tag_end + _LONGEST_GAP:
            found.append(at)
        tag_end = end if is_tag else -_LONGEST_GAP - 1
    return found


def _is_frame(head: bytes) -> bool:
    return len(head) == 2 and struct.unpack(">H", head)[0] & 0xFFE0 == 0xFFE0


def _synchsafe(data: bytes) -> int:
    """The size in an ID3 tag: seven bits of each byte."""
    a, b, c, d = data
    return a << 21 | b << 14 | c << 7 | d


def _read(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)
