"""The picture at the end of the demo: the main curves under the waveform."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dtalker_model.blendshapes import INDEX
from dtalker_ros.audio.sound_file import SoundFile
from dtalker_ros.nodes.collector import Received

PANELS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("jaw and lips", ("jawOpen", "mouthClose", "mouthFunnel", "mouthPucker")),
    ("mouth shape", ("mouthSmileLeft", "mouthStretchLeft", "mouthLowerDownLeft", "mouthPressLeft")),
    ("eyes and brows", ("eyeBlinkLeft", "eyeBlinkRight", "browInnerUp", "browDownLeft")),
)
COLOURS = ("#1b6ca8", "#d1495b", "#2e8b57", "#b8860b")
LOWEST_TOP = 0.2


def draw(clip: str, frames: Sequence[Received], out: str) -> None:
    """Draw the waveform of `clip` and the curves of `frames` into the PNG `out`. Needs no display."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(
        len(PANELS) + 1, 1, figsize=(12, 8), sharex=True, height_ratios=(1, 2, 2, 2), layout="constrained"
    )
    _draw_wave(axes[0], clip)
    times_s = np.array([f.stamp_ns - frames[0].stamp_ns for f in frames]) / 1e9
    weights = np.array([f.weights for f in frames])
    for axis, (title, names) in zip(axes[1:], PANELS, strict=True):
        for name, colour in zip(names, COLOURS, strict=True):
            axis.plot(times_s, weights[:, INDEX[name]], color=colour, linewidth=1.3, label=name)
        highest = weights[:, [INDEX[name] for name in names]].max()
        axis.set_ylim(0, min(1.0, max(LOWEST_TOP, 1.15 * highest)))
        axis.set_ylabel(title)
        axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=9)
    axes[-1].set_xlabel("time of the speech in s")
    axes[-1].set_xlim(0, times_s[-1])
    for axis in axes:
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(out, dpi=110)
    pyplot.close(figure)


def _draw_wave(axis: Any, clip: str) -> None:
    """The waveform as an envelope of 10 ms, whatever its length."""
    file = SoundFile(clip)
    size = file.sample_rate_hz // 100
    blocks = [chunk[:, 0].astype(np.float32) / 32768 for chunk in file.chunks(size)]
    times_s = np.arange(len(blocks)) * size / file.sample_rate_hz
    axis.fill_between(times_s, [b.min() for b in blocks], [b.max() for b in blocks], color="#555555", linewidth=0)
    axis.set_ylabel("speech")
    axis.set_ylim(-1, 1)
