"""Recordings of the user's own: takes of Live Link Face, and folders of sound files beside CSV files.

Live Link Face, a folder a take, as its app exports it::

    20240506_MySlate_12/MySlate_12_iPhone.csv       Timecode,BlendShapeCount,EyeBlinkLeft,…,TongueOut,HeadYaw,…
    20240506_MySlate_12/MySlate_12_iPhone_cal.csv   the same, calibrated (preferred where it exists)
    20240506_MySlate_12/MySlate_12_iPhone.mov       video with the sound; or a .wav of that name
    20240506_MySlate_12/take.json, thumbnail.jpg …  not read

A plain folder, `csv_motion` says which columns; speakers and emotions from the folders where they are there::

    [SPEAKER/[EMOTION/]]NAME.wav (or .flac)   the sound
    [SPEAKER/[EMOTION/]]NAME.csv              its motion; without it the clip is audio alone, if there is a text
    [SPEAKER/[EMOTION/]]NAME.txt              what is said (optional)

The sound of a .mov is taken out by ffmpeg, which must be installed for it.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from training.corpus.clips import EMOTIONS
from training.data.layouts.csv_motion import read_track
from training.data.source import Candidate, Options, Recording, Refusal, read_sound

KIND = "captured: blendshape curves of the user's own recording"
LIVELINK_KIND = "captured: ARKit on an iPhone (Live Link Face)"
FFMPEG_LIMIT_S = 120
SOUNDS = (".wav", ".flac")
NOT_TAKES = ("frame_log.csv", "_neutral.csv")


def find_livelink(folder: Path, options: Options) -> list[Candidate]:
    """Every take below `folder`. Raises ValueError where there is no CSV file."""
    tables = {p.stem: p for p in sorted(folder.rglob("*.csv")) if not p.name.endswith(NOT_TAKES)}
    takes = {stem: path for stem, path in tables.items() if f"{stem}_cal" not in tables}
    if not takes:
        raise ValueError(f"no take of Live Link Face (a .csv) below {folder}")
    identity = options.identity or folder.resolve().name
    return [
        Candidate(
            stem, identity, options.emotion, options.licence, LIVELINK_KIND, partial(_read_take, path, stem, options)
        )
        for stem, path in takes.items()
    ]


def _read_take(table: Path, stem: str, options: Options) -> Recording:
    bare = table.with_name(stem.removesuffix("_cal"))
    sounds = [bare.with_name(bare.name + ending) for ending in (*SOUNDS, ".mov")]
    sound = next((path for path in sounds if path.is_file()), None)
    if sound is None:
        raise Refusal(f"no {bare.name}.wav, .flac or .mov beside it")
    track = read_track(table, options.fps, options.start_s)
    audio, rate_hz = sound_of_video(sound) if sound.suffix == ".mov" else read_sound(sound)
    return Recording(audio, rate_hz, track)


def sound_of_video(video: Path) -> tuple[np.ndarray, int]:
    """Samples (samples, 1) float32 and rate in Hz of a video's sound; `Refusal` without ffmpeg or without sound."""
    if shutil.which("ffmpeg") is None:
        raise Refusal(f"ffmpeg is needed to hear {video.name}: install it, or put a .wav of that name beside it")
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "sound.wav"
        command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(video), "-vn", "-ac", "1", str(wav)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=FFMPEG_LIMIT_S, check=False)
        if done.returncode or not wav.is_file():
            raise Refusal(
                f"ffmpeg finds no sound in {video.name}: {(done.stderr.strip() or 'no output').splitlines()[-1]}"
            )
        return read_sound(wav)


def find_folder(folder: Path, options: Options) -> list[Candidate]:
    """Every sound file below `folder`. Raises ValueError where there is none."""
    sounds = [path for path in sorted(folder.rglob("*")) if path.suffix in SOUNDS]
    if not sounds:
        raise ValueError(f"no .wav or .flac file below {folder}")
    return [_own(path, folder, options) for path in sounds]


def _own(sound: Path, folder: Path, options: Options) -> Candidate:
    above = sound.relative_to(folder).parts[:-1]
    emotion = above[-1] if above and above[-1] in EMOTIONS else options.emotion
    speakers = [part for part in above if part not in EMOTIONS]
    identity = options.identity or (speakers[0] if speakers else folder.resolve().name)
    name = "_".join((*above, sound.stem))
    return Candidate(name, identity, emotion, options.licence, KIND, partial(_read_own, sound, options))


def _read_own(sound: Path, options: Options) -> Recording:
    table, transcript = sound.with_suffix(".csv"), sound.with_suffix(".txt")
    text = " ".join(transcript.read_text(encoding="utf-8").split()) if transcript.is_file() else ""
    if not table.is_file() and not text:
        raise Refusal(f"neither {table.name} nor {transcript.name} beside it")
    track = read_track(table, options.fps, options.start_s) if table.is_file() else None
    return Recording(*read_sound(sound), track, text)
