"""Text from elsewhere (file names, headers, pages) as one line of a terminal or a log."""

import unicodedata

LONGEST = 4000
"""Characters of a line; of a longer one, the middle is left out."""


def printable(text: str, longest: int = LONGEST) -> str:
    """`text` on one line of at most `longest` characters, without anything that a terminal would obey."""
    line = "".join(map(_shown, " ".join(text.split())))
    return line if len(line) <= longest else f"{line[: longest * 2 // 3]} ... {line[-longest // 4 :]}"


def _shown(character: str) -> str:
    if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"):
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()
