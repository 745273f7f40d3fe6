"""Phones on the frame clock: labels of aligned recordings, and synthetic speech whose phone times are exact.

Debian's flite speaks random word sequences and prints the end of every phone (``-psdur``). Such clips carry no motion:
they teach the audio encoder what is said, in voices and words that the recordings lack.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dtalker_model.rates import FRAME_RATE_HZ
from training.corpus.clips import Clip

ARPABET = "SIL AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH"
PHONES = tuple(ARPABET.split())
UNKNOWN = -1
SPELLINGS = {
    "PAU": "SIL",
    "SP": "SIL",
    "SPN": "SIL",
    "AX": "AH",
    "AXR": "ER",
    "IX": "IH",
    "DX": "D",
    "HV": "HH",
    "EL": "L",
    "EN": "N",
}
VOICES = ("slt", "rms", "awb", "kal16")
WORDS_FILE = Path(__file__).with_name("words.txt")
"""Common English words; random sequences of them cover sounds and their neighbours more evenly than sentences do."""


def phone_labels(phones: Sequence[tuple[str, float, float]], frames: int, speed: float = 1.0) -> np.ndarray:
    """Phone index at the time of each frame, (frames,) int64; `UNKNOWN` where nothing is labelled.

    Args:
        phones: (name, start_s, duration_s), ARPAbet with or without stress.
        speed: how much faster the audio plays than it was when labelled.
    """
    labels = np.full(frames, UNKNOWN, np.int64)
    for name, start_s, duration_s in phones:
        begin, end = (round(t / speed * FRAME_RATE_HZ) for t in (start_s, start_s + duration_s))
        labels[begin:end] = phone_index(name)
    return labels


def phone_index(name: str) -> int:
    """Index in `PHONES`; `UNKNOWN` for a name that is not ARPAbet."""
    bare = name.upper().rstrip("012")
    bare = SPELLINGS.get(bare, bare)
    return PHONES.index(bare) if bare in PHONES else UNKNOWN


def speak(text: str, voice: str, wav: Path) -> list[tuple[str, float, float]]:
    """Synthesise `text` into `wav` with flite; return its phones as (name, start_s, duration_s)."""
    if shutil.which("flite") is None:
        raise FileNotFoundError("flite is not installed: apt-get install flite")
    command = ["flite", "-voice", voice, "-psdur", "-t", text, "-o", str(wav)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    phones, start_s = [], 0.0
    for word in printed.split():
        name, end_s = word.rsplit(":", 1)
        phones.append((name.upper(), start_s, round(float(end_s) - start_s, 3)))
        start_s = float(end_s)
    return phones


def synthesise(folder: Path, sentences: int, seed: int = 0) -> list[Clip]:
    """Random sentences of 4 to 10 words in four voices, kept in `folder` and made only once."""
    manifest = folder / f"phones-{sentences}-{seed}.json"
    if not manifest.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        words = WORDS_FILE.read_text(encoding="utf-8").split()
        draw = random.Random(seed)
        rows = []
        for k in range(sentences):
            text = " ".join(draw.choices(words, k=draw.randint(4, 10)))
            phones = speak(text, VOICES[k % len(VOICES)], folder / f"{k}.wav")
            rows.append({"id": str(k), "text": text, "voice": VOICES[k % len(VOICES)], "phones": phones})
        manifest.write_text(json.dumps(rows), encoding="utf-8")
    return [_synthetic_clip(folder, row) for row in json.loads(manifest.read_text(encoding="utf-8"))]


def _synthetic_clip(folder: Path, row: dict) -> Clip:
    phones = tuple(tuple(p) for p in row["phones"])
    seconds = phones[-1][1] + phones[-1][2]
    voice = f"flite_{row['voice']}"
    return Clip(
        folder, row["id"], "flite", "train", voice, "neutral", f"{row['id']}.wav", seconds, "synthetic", phones=phones
    )
