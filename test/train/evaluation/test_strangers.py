"""Voices that no model heard: which clips, what is heard of them, and rows of models that close their lips or not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import soundfile

from dtalker_model.blendshapes import INDEX
from training.acoustics.noise import speech_rms
from training.corpus.clips import Clip, load_audio, read_manifest
from training.corpus.face_basis import FaceBasis
from training.data.source import Refusal
from training.evaluation import spoken_phones as spoken_phones_module
from training.evaluation.conditions import CONDITIONS
from training.evaluation.predictor import About
from training.evaluation.spoken_phones import spoken_phones
from training.evaluation.strangers import CLIPS_A_VOICE, is_child, spoilt, stranger_clips, stranger_rows

JAW = INDEX["jawOpen"]
PHONES = [["SIL", 0.0, 0.2], ["B", 0.2, 0.1], ["AA1", 0.3, 0.2], ["M", 0.5, 0.1], ["IY1", 0.6, 0.2]]
AGES = {"so_1": 7, "so_2": 15, "so_3": 16, "ls_4": None}


def write_voices(folder: Path, clips: int = CLIPS_A_VOICE + 2) -> Path:
    """Four voices of a second a clip: two children and two adults, one of them of unknown age."""
    rows = []
    for number, (voice, age) in enumerate(AGES.items()):
        for k in range(clips):
            name = f"{voice}_{k}"
            tone = np.sin(2 * np.pi * (150 + 60 * number) * np.arange(16000) / 16000)
            soundfile.write(folder / f"{name}.flac", 0.1 * tone, 16000)
            rows.append({
                "id": name, "source": "voices", "split": "val", "identity": voice, "emotion": "neutral", "seconds": 1.0,
                "audio": f"{name}.flac", "licence": "CC0", "text": "bah me", "phones": PHONES, "age": age,
            })  # fmt: skip
    (folder / "manifest.jsonl").write_text("")
    (folder / "voices.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    return folder


def face() -> FaceBasis:
    flat, gap_mm = np.zeros((52, 3)), np.zeros(52)
    gap_mm[JAW] = 30.0
    return FaceBasis(flat, flat, np.zeros((52, 6)), np.zeros((52, 52)), 1.0, gap_mm, gap_mm)


class Speaker:
    """Its jaw is open at vowels; at bilabials it closes, unless the speaker is a child or what is heard is spoilt."""

    ear = live = None
    about = About("speaker", "", 1, 0, 1, "", "")

    def __call__(self, clips: Sequence[Clip], seed: int = 0) -> list[np.ndarray]:
        return [self._speak(clip) for clip in clips]

    def _speak(self, clip: Clip) -> np.ndarray:
        weights = np.zeros((clip.frames, 52))
        weights[:, JAW] = 0.3
        if not is_child(clip) and clip.id.endswith(tuple("0123456789")):
            weights[10:15, JAW] = weights[25:30, JAW] = 0.0
        return weights


def test_a_few_clips_of_each_voice_are_taken(tmp_path: Path) -> None:
    clips = stranger_clips(write_voices(tmp_path), "val")
    assert [c.id for c in clips] == [f"{voice}_{k}" for voice in AGES for k in range(CLIPS_A_VOICE)]
    assert [c.identity for c in clips if is_child(c)] == ["so_1"] * CLIPS_A_VOICE + ["so_2"] * CLIPS_A_VOICE
    assert stranger_clips(tmp_path, "train") == []


def test_a_corpus_without_voices_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "manifest.jsonl").write_text("")
    assert list(stranger_rows({"model": Speaker()}, tmp_path, "val", face())) == []


def test_each_condition_is_heard_under_its_own_name_the_same_every_time(tmp_path: Path) -> None:
    clips = stranger_clips(write_voices(tmp_path, clips=2), "val")
    assert spoilt(clips, "clean", tmp_path / "nowhere") == clips
    seen = {c.id for c in clips}
    for condition in CONDITIONS:
        if condition == "clean":
            continue
        folders = [tmp_path / f"{condition} {k}" for k in range(2)]
        for folder in folders:
            folder.mkdir()
        first, again = (spoilt(clips, condition, folder) for folder in folders)
        assert not seen & {c.id for c in first}
        seen |= {c.id for c in first}
        for clip, heard, twice in zip(clips, first, again):
            assert heard == replace(clip, id=heard.id, folder=folders[0], audio=heard.audio)
            audio = load_audio(heard)
            np.testing.assert_array_equal(audio, load_audio(twice))
            assert audio.shape == load_audio(clip).shape and not np.array_equal(audio, load_audio(clip))


def test_babble_is_made_of_other_voices_than_the_speakers(tmp_path: Path) -> None:
    clips = stranger_clips(write_voices(tmp_path, clips=1), "val")
    heard = spoilt(clips, "0 dB", tmp_path)[0]
    added = load_audio(heard) - load_audio(clips[0]) * min(1, 1 / np.abs(load_audio(heard)).max())
    power, hz = np.abs(np.fft.rfft(added)) ** 2, np.fft.rfftfreq(len(added), 1 / 16000)
    for voice, pitch in enumerate((150, 210, 270, 330)):
        assert (power[np.abs(hz - pitch) < 2].sum() > 0.05 * power.sum()) == (voice > 0)
    assert speech_rms(added) == pytest.approx(speech_rms(load_audio(clips[0])), rel=0.15)


def test_rows_tell_conditions_and_children_apart(tmp_path: Path) -> None:
    clips = write_voices(tmp_path, clips=2)
    rows = list(stranger_rows({"model": Speaker(), "other": Speaker()}, clips, "val", face()))
    assert len(rows) == len(CONDITIONS) * 2 * 3
    found = {(r["condition"], r["group"]): r for r in rows if r["predictor"] == "model"}
    assert found["clean", "adults"]["closed_1mm"] == 1.0 and found["clean", "children"]["closed_1mm"] == 0.0
    assert found["clean", "all"]["closed_1mm"] == 0.5 and found["clean", "all"]["looks_shut"] == 0.0
    assert (found["clean", "all"]["voices"], found["clean", "all"]["clips"]) == (4, 8)
    assert found["clean", "all"]["closed_1mm_low"] < 0.5 < found["clean", "all"]["closed_1mm_high"], "voices are drawn"
    assert found["clean", "all"]["gap_i"] == pytest.approx(9.0, abs=0.05) and found["clean", "all"]["gap_u"] is None
    json.dumps(rows)


class CountingAligner:
    """Aligns everything but what says no; counts what it was asked for."""

    asked: ClassVar[list[str]] = []

    def __call__(self, audio: np.ndarray, text: str) -> object:
        self.asked.append(text)
        if text == "no":
            raise Refusal("no alignment")
        return type("Alignment", (), {"phones": (("B", 0.0, 0.1),)})()


def test_alignments_are_kept_and_made_again_for_another_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed: pip install '.[train]'")
    monkeypatch.setenv("DTALKER_CACHE", str(tmp_path / "kept"))
    monkeypatch.setattr(spoken_phones_module, "Aligner", CountingAligner)
    known = read_manifest(write_voices(tmp_path, clips=1), "val", "voices")
    assert spoken_phones(known) == [c.phones for c in known] and CountingAligner.asked == []
    bare = [replace(c, phones=(), text=text) for c, text in zip(known, ("yes", "no", "", "bah"))]
    for _ in range(2):
        assert spoken_phones(bare) == [(("B", 0.0, 0.1),), (), (), (("B", 0.0, 0.1),)]
        assert CountingAligner.asked == ["yes", "no", "bah"]
    spoken_phones([replace(bare[0], text="other")])
    assert CountingAligner.asked == ["yes", "no", "bah", "other"]
