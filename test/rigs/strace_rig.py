"""What a process and its children reach: whom they call, and which files they write, as strace sees it."""

import ipaddress
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

CALLS = "connect,sendto,sendmsg,sendmmsg,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat"

_ADDRESS = re.compile(r"(?:inet_addr\(|inet_pton\(AF_INET6, )\"(?P<address>[^\"]+)\"")
_PATHS = re.compile(r"\"((?:[^\"\\]|\\.)*)\"")
_WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|^(?:creat|mkdir|rename|unlink)")
_NO_FILES = ("/dev/", "/proc/")


@dataclass(frozen=True)
class Reach:
    """What a process reached."""

    addresses: frozenset[str]
    """Network addresses that it called, those of this machine left out."""
    written: frozenset[Path]
    """Files and folders that it made, changed or took away, devices left out; failed tries count."""

    def written_outside(self, *folders: Path) -> list[str]:
        """What of `written` is in none of `folders`."""
        return sorted(str(path) for path in self.written if not any(path.is_relative_to(f) for f in folders))


def traced(command: Sequence[str], log: Path) -> list[str]:
    """`command` under strace, which writes `log`; skips where there is no strace that may trace."""
    strace = shutil.which("strace")
    if strace is None or subprocess.run([strace, "-o", os.devnull, "true"], capture_output=True).returncode != 0:
        pytest.skip("needs strace, and the right to trace")
    return [strace, "-f", "-qq", "-s", "4096", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(log), *command]


def reach_of(log: Path, folder: Path) -> Reach:
    """What the `log` of a run in `folder` says."""
    addresses: set[str] = set()
    written: set[Path] = set()
    for line in log.read_text(errors="replace").splitlines():
        call = line.partition(" ")[2].lstrip()
        addresses.update(match["address"] for match in _ADDRESS.finditer(call) if not _is_here(match["address"]))
        if _WRITES.search(call):
            written.update(_written(call, folder))
    return Reach(frozenset(addresses), frozenset(written))


def home(folder: Path) -> Mapping[str, str]:
    """Variables of somebody who has nothing but `folder`, and whom nobody protects from reports."""
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    gone = ("ORT_DISABLE_TELEMETRY", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
    here = {"HOME": str(folder), "TMPDIR": str(folder / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
    return {name: value for name, value in {**os.environ, **here}.items() if name not in gone}


def _is_here(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


def _written(call: str, folder: Path) -> Iterator[Path]:
    for name in _PATHS.findall(call):
        if name and not name.startswith(_NO_FILES):
            yield folder / name
