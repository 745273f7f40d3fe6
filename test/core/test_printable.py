"""Text from elsewhere cannot leave its line, command a terminal, or fill it."""

import pytest

from dtalker_model.printable import LONGEST, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("héllo wörld", "héllo wörld"),
        ("a\nb\r\tc", "a b c"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("caf\udce9.wav", "caf\\xe9.wav"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\x9b2J", "\\x9b2J"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_long_text_loses_its_middle() -> None:
    line = printable("begin " + "x" * 100_000 + " end")
    assert len(line) < LONGEST and line.startswith("begin xx") and line.endswith("xx end") and " ... " in line
