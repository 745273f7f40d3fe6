"""One measurement in a process of its own: ``python -m dtalker_model.cli.measurement WHAT MODEL SECONDS``.

WHAT is speed, voices or memory. `bench` starts it with one thread on one core; it prints one line of JSON.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import soundfile

import dtalker_model
from dtalker_model.cli.machine import peak_rss_mb
from dtalker_model.hearing.features import LogMel
from dtalker_model.hearing.voice_activity import VoiceActivity
from dtalker_model.output.output import OutputStage
from dtalker_model.rates import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE_HZ
from dtalker_model.settings import Settings
from dtalker_model.speaking.personalizer import Personalizer
from dtalker_model.speaking.runtime import OnnxStep

Audio = npt.NDArray[np.float32]
Result = TypeVar("Result")

DEMO_CLIP = Path(dtalker_model.__file__).parent / "data" / "demo.wav"
OFFLINE_REPEATS = 5
VOICE_FRAMES = 60
VOICE_WARM_UP_FRAMES = 10
MOST_VOICES = 4096


def clip(seconds: float) -> Audio:
    """Mono speech of that length at 16 kHz: the demo clip, repeated or cut."""
    pcm, rate_hz = soundfile.read(DEMO_CLIP, dtype="float32")
    assert rate_hz == SAMPLE_RATE_HZ
    assert pcm.ndim == 1
    return np.resize(pcm, round(seconds * SAMPLE_RATE_HZ))


def speed(model: str, seconds: float) -> dict[str, float]:
    """One voice, with the model's own number of steps, and as ``NAME@STEPS`` with each number that it offers."""
    talker, pcm = dtalker_model.load(model), clip(seconds)
    figures = {steps: _speed(talker, pcm, steps) for steps in talker.card.step_counts}
    return figures[talker.card.steps] | {f"{name}@{n}": x for n, each in figures.items() for name, x in each.items()}


def _speed(talker: dtalker_model.Talker, pcm: Audio, steps: int) -> dict[str, float]:
    """Frames a second in one chunk, and the time of one 20 ms chunk."""
    talker.set(steps=steps)
    talker.reset()
    offline_s = [_timed(lambda: talker.push(pcm, SAMPLE_RATE_HZ) + talker.flush())[0] for _ in range(OFFLINE_REPEATS)]
    steps_ms = []
    for start in range(0, len(pcm) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        chunk = pcm[start : start + FRAME_SAMPLES]
        spent_s, completed = _timed(partial(talker.push, chunk, SAMPLE_RATE_HZ))
        if completed:  # the first chunks fill the look-ahead
            steps_ms.append(1000 * spent_s)
    frames = len(pcm) // FRAME_SAMPLES
    return {
        "fps_offline_1core": frames / statistics.median(offline_s),
        "step_ms_p50": float(np.percentile(steps_ms, 50)),
        "step_ms_p99": float(np.percentile(steps_ms, 99)),
    }


class Choir:
    """`voices` streams that go through one step graph as one batch, a frame at a time; the rest is done for each."""

    def __init__(self, model: str, voices: int) -> None:
        path = dtalker_model.model_path(model)
        card = dtalker_model.card.read_card(path)
        personalizer = Personalizer(card)
        self._settings = Settings()
        self._step = OnnxStep(path, personalizer.embedding_dim, card.steps)
        self._state = self._step.initial_state(voices)
        shape = (voices, 1, personalizer.embedding_dim)
        self._identity = np.broadcast_to(personalizer.identity(self._settings, None), shape)
        self._emotion = np.broadcast_to(personalizer.emotion(self._settings, None), shape)
        self._noise = np.random.default_rng(0)
        self._parts = [(LogMel(), VoiceActivity(), OutputStage(seed)) for seed in range(voices)]

    def frame(self, chunks: list[Audio], index: int) -> list[Audio]:
        """Weights (1, 52) of each voice, from 20 ms of each."""
        heard = [parts[0].push(chunk) for parts, chunk in zip(self._parts, chunks, strict=True)]
        gates = [parts[1].apply(h.level_db, h.voiced) for parts, h in zip(self._parts, heard, strict=True)]
        features = np.stack([h.log_mel for h in heard])
        noise = self._noise.standard_normal((len(chunks), 1, 52), np.float32)
        weights, self._state = self._step(features, noise, self._identity, self._emotion, self._state)
        finished = zip(self._parts, weights, gates, strict=True)
        return [parts[2].apply(w, gate, index, self._settings) for parts, w, gate in finished]


def frame_time_ms(model: str, voices: int, pcm: Audio) -> float:
    """95th percentile of the time that one frame of all voices takes; each hears another part of the clip."""
    choir = Choir(model, voices)
    starts = np.random.default_rng(1).integers(0, len(pcm) - FRAME_SAMPLES, voices)
    spent_ms = []
    for index in range(VOICE_WARM_UP_FRAMES + VOICE_FRAMES):
        at = (starts + index * FRAME_SAMPLES) % (len(pcm) - FRAME_SAMPLES)
        chunks = [pcm[a : a + FRAME_SAMPLES] for a in at]
        spent_ms.append(1000 * _timed(partial(choir.frame, chunks, index))[0])
    return float(np.percentile(spent_ms[VOICE_WARM_UP_FRAMES:], 95))


def voices(model: str, seconds: float) -> dict[str, float]:
    """The largest batch that keeps up with real time, to within 1 in 16."""
    pcm = clip(seconds)

    def keeps_up(count: int) -> bool:
        return frame_time_ms(model, count, pcm) < FRAME_MS

    return {"voices_realtime_1core": largest(keeps_up, MOST_VOICES)}


def largest(holds: Callable[[int], bool], limit: int) -> int:
    """A count up to `limit` for which `holds` is true, and not for 1/16 more; 0 when not even for one."""
    good, bad = 0, 1
    while bad <= limit and holds(bad):
        good, bad = bad, 2 * bad
    while bad - good > max(1, good // 16):
        middle = (good + bad) // 2
        good, bad = (middle, bad) if holds(middle) else (good, middle)
    return good


def memory(model: str, seconds: float) -> dict[str, float | None]:
    """Peak memory of this process after it rendered the demo clip, as the command line does."""
    from dtalker_model.cli.main import main

    with tempfile.TemporaryDirectory() as folder:
        code = main(["render", str(DEMO_CLIP), "--out", str(Path(folder) / "face.csv"), "--model", model])
    assert code == 0
    return {"rss_mb": peak_rss_mb()}


def _timed(work: Callable[[], Result]) -> tuple[float, Result]:
    begun_s = time.perf_counter()
    result = work()
    return time.perf_counter() - begun_s, result


if __name__ == "__main__":
    what, model_name, length_s = sys.argv[1:]
    measurements = {"speed": speed, "voices": voices, "memory": memory}
    print(json.dumps(measurements[what](model_name, float(length_s))))
