"""How fast the model runs here, and which microphones there are."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dtalker_model.rates import FRAME_SAMPLES, SAMPLE_RATE_HZ
from dtalker_ros.doctor.finding import Finding, Level

GOOD, TOO_SLOW = 0.5, 0.9
"""Real-time factors: below the first there is room for others, above the second faces fall behind."""
MEASURED_S = 0.6
"""So long we measure at most; the first half second of audio warms up."""
MICROPHONE_S = 3.0
"""A sound server that does not answer within this hangs."""
QUERY = (
    "import json, sounddevice\n"
    "print(json.dumps([d['name'] for d in sounddevice.query_devices() if d['max_input_channels'] > 0]))"
)


@dataclass(frozen=True)
class Speed:
    """How long the model took for frames of 20 ms."""

    real_time_factor: float
    worst_ms: float


def measured_speed() -> Speed:
    """Load the shipped model and let it hear noise; raises `DtalkerError` or `ImportError` where that fails."""
    import dtalker_model

    talker = dtalker_model.load()
    noise = np.random.default_rng(0).normal(0, 0.05, (FRAME_SAMPLES, 1)).astype(np.float32)
    for _ in range(25):
        talker.push(noise, SAMPLE_RATE_HZ)
    taken_s: list[float] = []
    while sum(taken_s) < MEASURED_S and len(taken_s) < 150:
        begun_s = time.perf_counter()
        talker.push(noise, SAMPLE_RATE_HZ)
        taken_s.append(time.perf_counter() - begun_s)
    frame_s = FRAME_SAMPLES / SAMPLE_RATE_HZ
    return Speed(float(np.mean(taken_s)) / frame_s, 1000 * max(taken_s))


def check_speed(speed: Speed | Exception) -> Finding:
    """Whether the model keeps up; an exception is why it could not be measured."""
    if isinstance(speed, Exception):
        return Finding(Level.ERROR, "model", f"does not run: {speed}", "mend the packages above, then install it again")
    text = f"real-time factor {speed.real_time_factor:.2f} on one core now, slowest frame {speed.worst_ms:.0f} ms of 20"
    remedy = "stop other programs, steps: 1, threads: 1, or a faster machine"
    if speed.real_time_factor >= TOO_SLOW:
        return Finding(Level.ERROR, "speed", f"{text}: the face falls behind", remedy)
    if speed.real_time_factor >= GOOD:
        return Finding(Level.WARN, "speed", f"{text}: little is left for others", remedy)
    return Finding(Level.OK, "speed", text)


def found_microphones(command: Sequence[str] = (sys.executable, "-c", QUERY)) -> list[str]:
    """Names of the input devices, asked in a process of its own: PortAudio may hang, and talks much.

    Raises `RuntimeError` with the reason where they cannot be told.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MICROPHONE_S, check=False)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"the sound system did not answer within {MICROPHONE_S:g} s") from None
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no reason given"])[-1])
    return [str(name) for name in json.loads(done.stdout.strip().splitlines()[-1])]


def check_microphones(found: Sequence[str] | Exception) -> Finding:
    """Whether there is a microphone; only `microphone_node` needs one. An exception is why they could not be told."""
    if isinstance(found, Exception):
        text = str(found)
        if "No module named" in text:
            return Finding(
                Level.OK, "microphone", "not looked for", "pip install sounddevice, where one is to be used here"
            )
        remedy = (
            "apt install libportaudio2" if "PortAudio library" in text else "look at the sound server, `arecord -l`"
        )
        return Finding(Level.WARN, "microphone", text, remedy)
    if not found:
        remedy = "plug one in; in a container pass --device /dev/snd; where audio comes by a topic none is needed"
        return Finding(Level.WARN, "microphone", "none", remedy)
    return Finding(Level.OK, "microphone", ", ".join(found))
