"""Ten minutes of speech through the talker node at five times real time: memory must not grow, no frame may be lost.

``python -m dtalker_ros.nodes.soak [--minutes 10] [--speed 5] [--clip FILE]``; prints the node's memory as it goes.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dtalker_model.rates import FRAME_RATE_HZ, FRAME_SAMPLES, SAMPLE_RATE_HZ
from dtalker_ros.nodes.collector import Collector, end, private_domain, start
from dtalker_ros.nodes.demo import CLIP, PATIENCE_S

SETTLED_SHARE = 0.1
"""Memory is compared with that after the first minute of ten."""
GROWTH_MB = 4.0
"""What counts as no growth: the allocator's own unrest."""
SAMPLE_S = 1.0


@dataclass
class Memory:
    """Resident memory of a process over time."""

    pid: int
    curve: list[tuple[float, float]] = field(default_factory=list)
    """Share of the speech heard, MB."""

    def note(self, share: float) -> None:
        """Add a point."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        self.curve.append((share, pages * os.sysconf("SC_PAGE_SIZE") / 1e6))

    def growth_mb(self) -> float:
        """Median of the last fifth less that of the fifth after the start has settled, MB."""
        values = [mb for share, mb in self.curve if share >= SETTLED_SHARE]
        fifth = max(1, len(values) // 5)
        return float(np.median(values[-fifth:]) - np.median(values[:fifth])) if values else float("nan")


def run(clip: str, minutes: float, speed: float) -> int:
    """Soak; 0 if no frame was lost and memory stayed."""
    import soundfile

    os.environ.update(private_domain())
    seconds = soundfile.info(clip).duration
    expected = int(minutes * 60 * FRAME_RATE_HZ)
    with Collector() as collector:
        talker = start("talker_node", {"pacing": "asap", "gap_ms": 1000.0})
        memory = Memory(talker.pid)
        player: subprocess.Popen[bytes] | None = None
        try:
            if not collector.until(lambda: collector.diagnostics, PATIENCE_S):
                print("soak: failed: the talker node did not start", file=sys.stderr)
                return 1
            print(f"soak: {minutes:g} min of speech ({seconds:.1f} s again and again) at {speed:g} times real time")
            player = start("audio_file_node", {"file": f'"{clip}"', "speed": speed, "loop": True})
            _soak(collector, memory, expected, minutes * 60 / speed + PATIENCE_S)
        finally:
            for process in (player, talker):
                if process is not None:
                    end(process)
        return _verdict(collector, memory, expected)


def _soak(collector: Collector, memory: Memory, expected: int, timeout_s: float) -> None:
    """Collect until `expected` frames came, noting memory."""
    noted_s, told = 0.0, 0

    def tell() -> None:
        nonlocal noted_s, told
        share = len(collector.frames) / expected
        if time.monotonic() - noted_s >= SAMPLE_S:
            noted_s = time.monotonic()
            memory.note(share)
        if share >= (told + 1) / 10:
            told = int(10 * share)
            audio_s = len(collector.frames) * FRAME_SAMPLES / SAMPLE_RATE_HZ
            print(f"soak: {audio_s:5.0f} s of speech, memory {memory.curve[-1][1]:.1f} MB", flush=True)

    collector.until(lambda: len(collector.frames) >= expected, timeout_s, tell)
    memory.note(1.0)


def _verdict(collector: Collector, memory: Memory, expected: int) -> int:
    sequences = np.array([f.sequence for f in collector.frames])
    lost = max(0, expected - len(sequences)) + int(np.sum(np.diff(sequences) - 1))
    uneven = int(np.count_nonzero(np.diff([f.stamp_ns for f in collector.frames]) != 1_000_000_000 // FRAME_RATE_HZ))
    growth_mb = memory.growth_mb()
    refused = collector.diagnostics.get("messages_lost", "?")
    print(
        f"soak: {len(sequences)} frames, {lost} lost, {uneven} out of step, {refused} messages lost, "
        f"memory {memory.curve[-1][1]:.1f} MB, growth since the first tenth {growth_mb:+.1f} MB"
    )
    return 0 if lost == 0 and uneven == 0 and growth_mb <= GROWTH_MB else 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run the soak; 0 if all is well."""
    parser = argparse.ArgumentParser(
        prog="dtalker_ros.nodes.soak", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="speech to send, minutes (default 10)")
    parser.add_argument("--speed", type=float, default=5.0, help="times real time (default 5)")
    parser.add_argument("--clip", default=str(CLIP), help="sound file to repeat (default: the bundled clip)")
    arguments = parser.parse_args(argv)
    return run(arguments.clip, arguments.minutes, arguments.speed)


if __name__ == "__main__":
    sys.exit(main())
