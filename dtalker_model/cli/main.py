"""Entry point of ``dtalker``.

Exit codes: 0; 2 for bad usage or input, with one line on stderr; 130 when interrupted.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from dtalker_model.cli import bench, enroll, info, live, render, view
from dtalker_model.cli.interrupt import terminable
from dtalker_model.cli.version import dtalker_version
from dtalker_model.errors import DtalkerError
from dtalker_model.printable import printable

BAD_INPUT = 2
INTERRUPTED = 130


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong with the usage in one line; options must be spelled out."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, **kwargs)

    def error(self, message: str) -> NoReturn:
        sys.exit(_refuse(f"{message} (see {self.prog} --help)"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``dtalker`` with `argv` (the process's own by default); returns the exit code."""
    arguments = _parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name need not be in the terminal's encoding
    try:
        with terminable():
            arguments.run(arguments)
        sys.stdout.flush()
    except DtalkerError as error:
        return _refuse(str(error))
    except KeyboardInterrupt as interrupt:
        _refuse(f"interrupted{interrupt}")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, say) has what it wanted. Python would complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="dtalker", description="Speech in, a talking face out: 52 ARKit weights, 50 a second.")
    parser.add_argument("--version", action="version", version=f"dtalker {dtalker_version()}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=OneLineParser)
    for command in (render, live, view, enroll, info, bench):
        command.add_to(commands)
    return parser


def _refuse(message: str) -> int:
    print("dtalker:", printable(message), file=sys.stderr)
    return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
