"""Generates the head anew: `python -m dtalker_model.avatar [FILE]`."""

import argparse
from pathlib import Path

from dtalker_model.avatar import HEAD, head


def main() -> None:
    """Writes the file named on the command line, by default the shipped one."""
    parser = argparse.ArgumentParser(prog="python -m dtalker_model.avatar", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=HEAD, help="where to write (default: the shipped head)")
    path = parser.parse_args().file
    data = head.encode()
    path.write_bytes(data)
    print(f"{path}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
