"""Bring an adapter's candidates into the corpus: check, convert, write, and say what was refused and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from tqdm import tqdm

from dtalker_model.errors import AudioError
from dtalker_model.hearing.audio import MAX_RATE_HZ, MIN_RATE_HZ, to_mono
from dtalker_model.rates import SAMPLE_RATE_HZ
from training.data.manifest import Row, read_rows, replace_file, write_rows
from training.data.source import Candidate, Recording, Refusal, Track, split_of

SHORTEST_S = 0.5
LARGEST_GAP = 0.1
"""Motion and audio of one take may differ in length by this share of the audio, and by a second."""
PLAUSIBLE = (-0.5, 2.0)
"""Trackers overshoot 0..1 a little and are clipped; beyond this the numbers are something else, such as percent."""
SAVE_EVERY = 50


@dataclass
class Report:
    """What a command did: clips by what became of them, and one line for each refusal."""

    verb: str = "imported"
    done: int = 0
    kept: int = 0
    refused: list[str] = field(default_factory=list)
    splits: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        lines = [f"{self.verb} {self.done}, already there {self.kept}, refused {len(self.refused)}"]
        if self.splits:
            lines.append(f"split: {', '.join(f'{count} {name}' for name, count in sorted(self.splits.items()))}")
        if self.splits and "val" not in self.splits:
            lines.append("no speaker validates: name some with --val")
        return "\n".join(lines + [f"refused {line}" for line in self.refused])


def import_clips(candidates: Sequence[Candidate], kind: str, dst: Path, val: tuple[str, ...] = ()) -> Report:
    """Write the candidates into the corpus `dst`; clips that are there already are kept.

    Raises:
        ValueError: `val` names a speaker that the data lacks, or one that an earlier import put into another split.
    """
    manifest = dst / "manifest.jsonl"
    rows = {row["id"]: row for row in read_rows(manifest)}
    splits = _splits(candidates, val, list(rows.values()))
    report, unsaved = Report(), 0
    try:
        for candidate in tqdm(candidates, kind):
            name = f"{kind}_{candidate.id}"
            if name in rows and (dst / rows[name]["audio"]).is_file():
                report.kept += 1
            else:
                try:
                    rows[name] = write_clip(candidate, candidate.read(), name, kind, splits[candidate.identity], dst)
                except Refusal as why:
                    report.refused.append(f"{candidate.id}: {why}")
                    continue
                report.done, unsaved = report.done + 1, unsaved + 1
            report.splits[rows[name]["split"]] += 1
            if unsaved >= SAVE_EVERY:
                write_rows(manifest, list(rows.values()))
                unsaved = 0
    finally:
        if unsaved:
            write_rows(manifest, list(rows.values()))
    return report


def _splits(candidates: Sequence[Candidate], val: tuple[str, ...], rows: Sequence[Row]) -> dict[str, str]:
    splits = {c.identity: split_of(c, val) for c in candidates}
    if absent := sorted(set(val) - set(splits)):
        raise ValueError(f"--val names {', '.join(absent)}; the speakers are {', '.join(sorted(splits))}")
    for row in rows:
        if splits.get(row["identity"], row["split"]) != row["split"]:
            raise ValueError(
                f"speaker {row['identity']} is in split {row['split']} already, and who validates must not train: "
                "import with the same --val, or into a new folder"
            )
    return splits


def write_clip(candidate: Candidate, recording: Recording, name: str, source: str, split: str, dst: Path) -> Row:
    """Write audio and motion of one clip and return its row.

    Raises:
        Refusal: the recording cannot be used.
    """
    audio = speech_16khz(recording.audio, recording.rate_hz)
    seconds = len(audio) / SAMPLE_RATE_HZ
    row: Row = {"id": name, "audio": f"{source}/{name}.flac", "seconds": round(seconds, 3), "source": source}
    row |= {"split": split, "identity": candidate.identity, "emotion": candidate.emotion}
    row |= {"intensity": candidate.intensity, "licence": candidate.licence}
    if recording.text:
        row["text"] = recording.text
    if recording.phones:
        row["phones"] = [list(phone) for phone in recording.phones]
    if recording.track is not None:
        row |= write_motion(checked(recording.track, seconds), f"{source}/{name}.npz", candidate.motion_kind, dst)
    replace_file(dst / row["audio"], lambda part: soundfile.write(part, audio, SAMPLE_RATE_HZ))
    return row


def write_motion(track: Track, path: str, kind: str, dst: Path) -> Row:
    """Write a track's npz at `path` below `dst`; return the row's fields about it."""
    arrays: dict[str, Any] = {"weights": track.weights.astype(np.float16), "observed": track.observed}
    if track.confidence is not None:
        arrays["confidence"] = track.confidence.astype(np.float16)
    replace_file(dst / path, lambda part: np.savez_compressed(part, **arrays))
    row: Row = {"motion_kind": kind, "motion": path, "fps": track.fps, "frames": len(track.weights)}
    return row | {"motion_start_s": track.start_s}


def speech_16khz(audio: np.ndarray, rate_hz: int) -> np.ndarray:
    """Mono float32 at 16 kHz in -1..1; `Refusal` for what is no speech recording."""
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise Refusal(f"sample rate {rate_hz} Hz is outside {MIN_RATE_HZ}..{MAX_RATE_HZ}")
    try:
        mono = to_mono(audio)
    except AudioError as error:
        raise Refusal(str(error)) from None
    if len(mono) < SHORTEST_S * rate_hz:
        raise Refusal(f"{len(mono) / rate_hz:.2f} s of audio is too short: {SHORTEST_S} s at least")
    if not np.abs(mono).max() > 0:
        raise Refusal("the audio is digital silence")
    return np.clip(mono if rate_hz == SAMPLE_RATE_HZ else soxr.resample(mono, rate_hz, SAMPLE_RATE_HZ), -1.0, 1.0)


def checked(track: Track, audio_s: float) -> Track:
    """The track, clipped to 0..1; `Refusal` where it is not the motion of this audio."""
    weights = np.asarray(track.weights)
    if weights.ndim != 2 or weights.shape[1] != 52 or len(weights) < 2:
        raise Refusal(f"motion of shape {weights.shape}; (frames, 52) needed, two frames at least")
    seen = weights[:, track.observed]
    if track.confidence is not None:
        seen = seen[track.confidence > 0]
    if not seen.size or not np.isfinite(seen).all():
        raise Refusal("motion holds no tracked frame" if not seen.size else "motion holds NaN or infinite weights")
    if seen.min() < PLAUSIBLE[0] or seen.max() > PLAUSIBLE[1]:
        raise Refusal(f"weights in {seen.min():.3g}..{seen.max():.3g}: 0..1 needed")
    if not 5 <= track.fps <= 250:
        raise Refusal(f"{track.fps:g} frames a second: 5..250 needed")
    end_s = track.start_s + len(weights) / track.fps
    if abs(end_s - audio_s) > max(1.0, LARGEST_GAP * audio_s):
        raise Refusal(f"motion ends at {end_s:.1f} s and audio at {audio_s:.1f} s: not the same take")
    return replace(track, weights=np.where(track.observed, np.nan_to_num(weights).clip(0, 1), 0))
