"""How well sound and face agree on the live page, over a minute, in a real browser; prints JSON.

``python -m scripts.view_sync [--seconds 60] [--size 480x360]``. Two things are measured. At every refresh of the
screen: the moment that the face shows, minus the moment of the sound that the device puts out (``offset_ms``). And now
and then: samples taken from the output are looked for in the clip, which tells whether the page's clock is right about
what is heard (``clock_error_ms``).
"""

import argparse
import json
import math
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

import dtalker_model
from dtalker_model.view.avatar_file import read_avatar
from dtalker_model.view.performer import Performer
from dtalker_model.view.server import ViewServer
from dtalker_model.view.sound import read_sound
from scripts.browser import Watched, browser, open_page

DEMO = Path(dtalker_model.__file__).parent / "data" / "demo.wav"
OUTPUT_HZ = 48_000
PIECE = 8192
SEARCH = OUTPUT_HZ // 5
SPOTS = 6
ALIKE = 0.9
START_TAP = """async () => {
  const { sound } = dtalker;
  await sound.context.audioWorklet.addModule("tap_worklet.js");
  window.tap = new AudioWorkletNode(sound.context, "tap");
  sound.output.connect(tap);
}"""
TAKE = """() => new Promise((done) => {
  tap.port.onmessage = ({ data }) => done({ ...data, anchor: dtalker.sound.anchor });
  tap.port.postMessage(0);
})"""


def long_clip(seconds: float, folder: Path) -> Path:
    """The demo clip, repeated to `seconds`, in `folder`."""
    pcm, rate_hz = soundfile.read(DEMO, dtype="int16")
    path = folder / "speech.wav"
    soundfile.write(path, np.tile(pcm, math.ceil(seconds * rate_hz / len(pcm)))[: round(seconds * rate_hz)], rate_hz)
    return path


def clock_error_ms(taken: dict[str, Any], clip: npt.NDArray[np.float32]) -> float | None:
    """How far the piece of output lies in the clip from where the page believes it; None where it is silent."""
    piece = np.array(taken["samples"][:PIECE])
    anchor = taken["anchor"]
    expected = round((taken["frame"] / OUTPUT_HZ - anchor["context"] + anchor["time"]) * OUTPUT_HZ)
    begin = max(expected - SEARCH, 0)
    around = clip[begin : expected + SEARCH + PIECE]
    if np.sqrt(np.mean(piece**2)) < 0.01 or len(around) < PIECE:
        return None
    likeness = np.correlate(around, piece, "valid")
    energy = np.convolve(around.astype(np.float64) ** 2, np.ones(PIECE), "valid")
    likeness = likeness / np.sqrt(np.maximum(energy * np.sum(piece**2), 1e-12))
    found = int(np.argmax(likeness))
    # A piece with a gap in it, from an overloaded machine, tells nothing.
    return 1000 * (begin + found - expected) / OUTPUT_HZ if likeness[found] > ALIKE else None


def measure(watched: Watched, pcm: npt.NDArray[np.float32], rate_hz: int, seconds: float) -> dict[str, Any]:
    """Play the page's clip, which is `pcm` (samples,), and compare for `seconds`."""
    heard = soxr.resample(pcm, rate_hz, OUTPUT_HZ)
    watched.page.click("#play")
    watched.until("dtalker.clock.kind === 'clip' && dtalker.sound.anchor && dtalker.clock.at(performance.now()) > 0.5")
    watched.page.evaluate(START_TAP)
    before = watched.value(
        "({received: dtalker.frames.received, ms: performance.now(), n: dtalker.measured.offsets.length})"
    )
    errors = []
    for spot in range(SPOTS):
        watched.page.wait_for_timeout(1000 * (seconds - 2) / SPOTS)
        errors.append(clock_error_ms(watched.page.evaluate(TAKE), heard))
        print(f"{(spot + 1) / SPOTS:4.0%}", end="\r", file=sys.stderr, flush=True)
    after = watched.value("({received: dtalker.frames.received, ms: performance.now(), missed: dtalker.frames.missed})")
    offsets = np.array(watched.value("dtalker.measured.offsets"))[before["n"] :]
    known = [error for error in errors if error is not None]
    span_s = (after["ms"] - before["ms"]) / 1000
    p50, p95, p99 = np.percentile(np.abs(offsets), (50, 95, 99))
    each_second = [float(np.median(part)) for part in np.array_split(offsets, max(round(span_s), 1))]
    return {
        "seconds": round(span_s, 1),
        "offset_ms": {"mean": round(float(offsets.mean()), 2), "abs_p50": round(float(p50), 2)}
        | {
            "abs_p95": round(float(p95), 2),
            "abs_p99": round(float(p99), 2),
            "abs_max": round(float(np.abs(offsets).max()), 2),
        },
        "each_second_median_abs_max_ms": round(max(map(abs, each_second)), 2),
        "refreshes_per_s": round(len(offsets) / span_s, 1),
        "frames_per_s": round((after["received"] - before["received"]) / span_s, 2),
        "frames_missed": after["missed"],
        "clock_error_ms": {"spots": len(known), "all": [round(error, 2) for error in known]}
        | {"abs_max": round(max(map(abs, known), default=math.nan), 2)},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--size", default="480x360", help="of the page; WebGL in software draws large pages slowly")
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        clip = long_clip(arguments.seconds + 5, Path(folder))
        performer = Performer(dtalker_model.load(), read_sound(clip, clip.name))
        with (
            ViewServer(performer, read_avatar()) as server,
            browser() as chromium,
            open_page(chromium, server.url, (width, height)) as watched,
        ):
            pcm, rate_hz = soundfile.read(clip, dtype="float32")
            figures = measure(watched, pcm, rate_hz, arguments.seconds)
        performer.close()
    print(json.dumps({**figures, "size": arguments.size, "load": round(os.getloadavg()[0], 1)}, indent=1))


if __name__ == "__main__":
    main()
