"""Speech with exactly known phones, from text: Debian's flite speaks each line and prints when each phone ends."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import soundfile
from tqdm import tqdm

from training.corpus.phones import UNKNOWN, VOICES, phone_index, speak
from training.data.importing import SAVE_EVERY, Report, write_clip
from training.data.manifest import Row, read_rows, write_rows
from training.data.source import Candidate, Recording, Refusal

SOURCE = "flite"
LICENCE = "synthetic speech: flite, Carnegie Mellon University's permissive licence"


def speak_file(text_file: Path, dst: Path, voices: Sequence[str] = VOICES) -> Report:
    """Speak each line of a text file in each voice into the corpus `dst`; clips that are there already are kept.

    The clips are of source ``flite``, split ``train``, and have no motion.

    Raises:
        FileNotFoundError: no such file, or flite is not installed.
        ValueError: no text in the file, or a voice that flite lacks.
    """
    lines = [" ".join(line.split()) for line in text_file.read_text(encoding="utf-8").splitlines()]
    sentences = [line for line in lines if line]
    if not sentences:
        raise ValueError(f"no text in {text_file}")
    check_voices(voices)
    rows = {row["id"]: row for row in read_rows(dst / "manifest.jsonl")}
    report = Report("spoken")
    try:
        _speak_all(sentences, voices, dst, rows, report)
    finally:
        write_rows(dst / "manifest.jsonl", list(rows.values()))
    return report


def _speak_all(
    sentences: Sequence[str], voices: Sequence[str], dst: Path, rows: dict[str, Row], report: Report
) -> None:
    wanted = [(number, text, voice) for number, text in enumerate(sentences, 1) for voice in voices]
    for number, text, voice in tqdm(wanted, "speak"):
        name = f"{SOURCE}_{voice}_{number:05d}"
        if rows.get(name, {}).get("text") == text and (dst / rows[name]["audio"]).is_file():
            report.kept += 1
            continue
        try:
            rows[name] = write_clip(_candidate(voice), spoken(text, voice), name, SOURCE, "train", dst)
        except Refusal as why:
            report.refused.append(f"sentence {number}, {voice}: {why}")
            continue
        report.done += 1
        if report.done % SAVE_EVERY == 0:
            write_rows(dst / "manifest.jsonl", list(rows.values()))


def _candidate(voice: str) -> Candidate:
    return Candidate("", f"{SOURCE}_{voice}", "neutral", LICENCE, "", lambda: spoken("", voice))


def spoken(text: str, voice: str) -> Recording:
    """Audio and phones of `text`; `Refusal` where flite fails or says nothing that is a phone."""
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "speech.wav"
        try:
            phones = speak(text, voice, wav)
        except (subprocess.CalledProcessError, ValueError) as error:
            raise Refusal(f"flite failed: {error}") from None
        audio, rate_hz = soundfile.read(wav, dtype="float32", always_2d=True)
    if not any(phone_index(name) not in (0, UNKNOWN) for name, *_ in phones):
        raise Refusal(f"nothing to say in {text[:40]!r}")
    end_s = len(audio) / rate_hz  # some voices cut their last pause short
    within = tuple((name, start_s, round(min(length_s, end_s - start_s), 3)) for name, start_s, length_s in phones)
    return Recording(audio, rate_hz, text=text, phones=tuple(phone for phone in within if phone[2] > 0))


def check_voices(voices: Sequence[str]) -> None:
    """Raises ValueError for a voice that flite lacks (it would use another), FileNotFoundError without flite."""
    try:
        listed = subprocess.run(["flite", "-lv"], capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        raise FileNotFoundError("flite is not installed: apt-get install flite") from None
    has = listed.split(":", 1)[-1].split()
    if unknown := sorted(set(voices) - set(has)):
        raise ValueError(f"flite has no voice {', '.join(unknown)}; it has {', '.join(has)}")
