"""The whole chain in one command: file player, audio topic, talker node, blendshape topic, page, and a picture of it.

``python -m dtalker_ros.nodes.demo [--clip FILE] [--out demo.png] [--emotion NAME] [--headless]``; no sound card, no
display. In a terminal the live page stays after the summary, and the clip is repeated, until Ctrl-C.
"""

import argparse
import contextlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import dtalker_model
from dtalker_model.errors import AudioError
from dtalker_model.rates import FRAME_MS, FRAME_RATE_HZ, LOOKAHEAD_MS, LOOKAHEAD_SAMPLES, SAMPLE_RATE_HZ
from dtalker_ros.audio.sound_file import SoundFile
from dtalker_ros.nodes.collector import Collector, Received, end, private_domain, start
from dtalker_ros.timing.stream import SAMPLE_NS

CLIP = Path(dtalker_model.__file__).parent / "data" / "demo.wav"
CHUNK_MS = 20.0
PATIENCE_S = 30.0
"""What processes may take to start on a loaded machine."""
BAR = 40
FOREVER_S = 1e9


@dataclass(frozen=True)
class Outcome:
    """What the demo measured."""

    frames: list[Received]
    """Those shown while the clip is spoken."""
    expected: int
    latency_ms: tuple[float, float, float]
    """p50, p95, p99 from the arrival of the chunk that completes a frame's look-ahead to the frame's arrival."""
    real_time_factor: float
    gaps: int

    def line(self) -> str:
        """The summary."""
        p50, p95, p99 = self.latency_ms
        return (
            f"demo: {len(self.frames)} of {self.expected} frames, real-time factor {self.real_time_factor:.3f}, "
            f"latency from audio chunk to frame p50 {p50:.1f} p95 {p95:.1f} p99 {p99:.1f} ms "
            f"(beyond the look-ahead of {LOOKAHEAD_MS} ms), {self.gaps} gaps"
        )


Process = subprocess.Popen[bytes]


def run(clip: str, voice: Mapping[str, str], page: bool, tell: Callable[[Outcome], None], stay: bool) -> None:
    """Play `clip` through the nodes and `tell` what was measured; then, to `stay`, repeat it until Ctrl-C.

    `voice`: emotion and identity. `page`: show the face in the browser, or print the address where there is no display.
    Raises `AudioError` for a bad clip and `RuntimeError` where a node fails.
    """
    duration_s = SoundFile(clip).duration_s
    os.environ.update(private_domain())
    nodes: list[Process] = []

    def started(module: str, parameters: Mapping[str, Any]) -> Process:
        nodes.append(start(module, parameters))
        return nodes[-1]

    with Collector(chunks=True) as collector:
        try:
            _play(collector, started, clip, voice, page)
            _listen(collector, nodes[-1], duration_s)
            tell(_outcome(collector, duration_s))
            if page and stay:
                _stay(collector, started, clip)
        finally:
            codes = [end(process) for process in reversed(nodes)]
    if any(codes):
        raise RuntimeError("a node ended with an error")


def _play(
    collector: Collector, started: Callable[..., Process], clip: str, voice: Mapping[str, str], page: bool
) -> None:
    """Start the nodes; the player, last, begins when all the others hear it."""
    talker = started("talker_node", voice)
    viewer = started("face_viewer_node", {"open": "true", "port": 0}) if page else None
    if not collector.until(lambda: collector.frames or talker.poll() is not None, PATIENCE_S) or talker.poll():
        raise RuntimeError("the talker node did not start")
    if viewer is not None and not collector.until(lambda: _is_known(collector, "face_viewer"), PATIENCE_S):
        raise RuntimeError("the live page did not start")
    listeners = 2 + (viewer is not None)
    started("audio_file_node", {"file": f'"{clip}"', "chunk_ms": CHUNK_MS, "min_subscribers": listeners})


def _is_known(collector: Collector, name: str) -> bool:
    return name in collector.node.get_node_names()


def _stay(collector: Collector, started: Callable[..., Process], clip: str) -> None:
    """Repeat the clip for those who watch the page."""
    print("demo: the page stays open and the clip is repeated; Ctrl-C ends", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        player = started("audio_file_node", {"file": f'"{clip}"', "chunk_ms": CHUNK_MS, "loop": "true"})
        collector.until(lambda: player.poll() is not None, FOREVER_S)


def _listen(collector: Collector, player: "subprocess.Popen[bytes]", duration_s: float) -> None:
    """Collect until the last frame of the clip was shown."""

    def tell() -> None:
        heard_s = sum(samples for _, samples in collector.chunks) / SAMPLE_RATE_HZ
        _progress(min(1.0, heard_s / duration_s), heard_s, len(collector.frames))

    if not collector.until(lambda: player.poll() is not None, duration_s + PATIENCE_S, tell):
        raise RuntimeError("the player did not come to its end")
    collector.until(lambda: collector.starts_ns, PATIENCE_S, tell)
    if not collector.starts_ns:
        raise RuntimeError("the talker node heard no audio")
    end_ns = collector.starts_ns[0] + round(duration_s * 1e9)
    collector.until(lambda: collector.frames[-1].stamp_ns >= end_ns, PATIENCE_S, tell)
    if sys.stderr.isatty():
        print(file=sys.stderr)


def _progress(share: float, heard_s: float, frames: int) -> None:
    if sys.stderr.isatty():
        bar = "#" * round(share * BAR)
        print(f"\r[{bar:<{BAR}}] {heard_s:5.1f} s heard, {frames} frames", end="", file=sys.stderr, flush=True)


def _outcome(collector: Collector, duration_s: float) -> Outcome:
    start_ns = collector.starts_ns[0]
    expected = int(duration_s * FRAME_RATE_HZ)
    spoken = [f for f in collector.frames if 0 <= f.stamp_ns - start_ns < duration_s * 1e9]
    steps = np.diff([f.stamp_ns for f in spoken])
    gaps = int(np.count_nonzero(steps != FRAME_MS * 1_000_000)) + max(0, expected - len(spoken))
    latency = _latency_ms(spoken, collector.chunks, start_ns)
    return Outcome(spoken, expected, latency, float(collector.diagnostics["real_time_factor"]), gaps)


def _latency_ms(frames: list[Received], chunks: list[tuple[int, int]], start_ns: int) -> tuple[float, float, float]:
    ends = np.cumsum([samples for _, samples in chunks])
    values = []
    for frame in frames:
        last_sample = (frame.stamp_ns - start_ns) // SAMPLE_NS + LOOKAHEAD_SAMPLES - 1
        chunk = int(np.searchsorted(ends, last_sample, side="right"))
        if chunk < len(chunks):  # the last frames wait for no chunk
            values.append((frame.arrival_ns - chunks[chunk][0]) / 1e6)
    p50, p95, p99 = np.percentile(values, (50, 95, 99)) if values else (float("nan"),) * 3
    return float(p50), float(p95), float(p99)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="dtalker_ros.nodes.demo", description="Speech through the ROS nodes, and a picture."
    )
    parser.add_argument("--clip", default=str(CLIP), help="sound file to speak (default: the bundled clip)")
    parser.add_argument("--out", default="demo.png", help="picture to write (default: demo.png)")
    parser.add_argument("--emotion", default="neutral", help="a name of the model, or live (default: neutral)")
    parser.add_argument("--identity", default="default", help="a name of the model, or live (default: default)")
    parser.add_argument("--headless", action="store_true", help="serve no page")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; 0 if every frame came, 1 if not, 2 for a bad clip."""
    arguments = _arguments(argv)
    page = not arguments.headless and importlib.util.find_spec("aiohttp") is not None
    codes: list[int] = []

    def tell(outcome: Outcome) -> None:
        codes.append(_report(outcome, arguments.clip, arguments.out))

    try:
        voice = {"emotion": arguments.emotion, "identity": arguments.identity}
        run(arguments.clip, voice, page, tell, stay=sys.stdin.isatty() and sys.stdout.isatty())
    except AudioError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        print(f"demo: failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return codes[0]


def _report(outcome: Outcome, clip: str, picture: str) -> int:
    """Draw the picture and print the summary; the exit code."""
    from dtalker_ros.nodes.demo_plot import draw

    draw(clip, outcome.frames, picture)
    print(f"{outcome.line()}, picture {picture}", flush=True)
    if outcome.gaps:
        print(f"demo: failed: {outcome.gaps} frames are missing or out of place", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
