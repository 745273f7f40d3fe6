"""Regenerates the bundled speech clip with Debian's `flite` (voice slt): ``dtalker_model/data/demo.*``.

Two parts with half a second of silence between them, padded with silence to exactly 10 s (500 frames).
Usage: ``python scripts/make_demo_speech.py`` in the project's environment, after ``apt-get install flite``.
"""

import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

DATA = Path(__file__).parents[1] / "dtalker_model" / "data"
SAMPLE_RATE_HZ = 16_000
CLIP_SAMPLES = 10 * SAMPLE_RATE_HZ
PAUSE_SAMPLES = SAMPLE_RATE_HZ // 2
PARTS = (
    "Hello! I am a talking face. Pam bought a big blue boat from Bob.",
    "We love warm mornings. Now, you speak, and I will move my mouth.",
)

Phone = tuple[str, float, float]


def speak(text: str) -> tuple[np.ndarray, list[Phone]]:
    """Int16 samples of `text` at 16 kHz, and its phones (name, start and end in seconds)."""
    with TemporaryDirectory() as folder:
        wav = Path(folder, "part.wav")
        command = ["flite", "-voice", "slt", "-psdur", "-t", text, "-o", str(wav)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        pcm, rate_hz = soundfile.read(wav, dtype="int16")
    assert rate_hz == SAMPLE_RATE_HZ
    return pcm, phones(printed)


def phones(printed: str) -> list[Phone]:
    """Phones from flite's ``name:end`` pairs (seconds)."""
    rows: list[Phone] = []
    start_s = 0.0
    for pair in printed.split():
        name, end = pair.split(":")
        rows.append((name, start_s, float(end)))
        start_s = float(end)
    return rows


def assemble() -> tuple[np.ndarray, list[Phone]]:
    """The clip: (160000,) int16 at 16 kHz, and its phones."""
    clip = np.zeros(CLIP_SAMPLES, np.int16)
    rows: list[Phone] = []
    offset = 0
    for text in PARTS:
        pcm, part = speak(text)
        clip[offset : offset + len(pcm)] = pcm
        offset_s = offset / SAMPLE_RATE_HZ
        rows += [(name, round(start + offset_s, 3), round(end + offset_s, 3)) for name, start, end in part]
        offset += len(pcm) + PAUSE_SAMPLES
    assert offset - PAUSE_SAMPLES <= CLIP_SAMPLES, "the parts are longer than the clip"
    return clip, rows


def main() -> None:
    clip, rows = assemble()
    soundfile.write(DATA / "demo.wav", clip, SAMPLE_RATE_HZ, subtype="PCM_16")
    lines = ",\n".join("  " + json.dumps(row) for row in rows)
    (DATA / "demo.phones.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
