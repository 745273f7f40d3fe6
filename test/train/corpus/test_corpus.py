"""The corpus loader, on generated clips, and on the real corpus where it is present."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_corpus import write_corpus, write_voices

from dtalker_model.blendshapes import INDEX
from training.corpus.clips import (
    EMOTIONS,
    Motion,
    at_recording_times,
    is_synthetic,
    load_audio,
    load_motion,
    on_frame_clock,
    read_manifest,
)
from training.corpus.phones import PHONES, UNKNOWN, phone_index, phone_labels

JAW = INDEX["jawOpen"]


def ramp(frames: int, fps: float, start_s: float) -> Motion:
    """Every coefficient equals the time in seconds."""
    times_s = start_s + np.arange(frames) / fps
    weights = np.tile(times_s[:, None], (1, 52)).astype(np.float32)
    return Motion(weights, np.ones((frames, 52), bool), times_s)


def test_motion_lands_on_the_frame_clock_by_its_start_time() -> None:
    weights, observed = on_frame_clock(ramp(90, 30.0, start_s=0.05), frames=200)
    seen = observed[:, 0]
    assert not seen[:3].any() and seen[3:150].all() and not seen[152:].any()
    np.testing.assert_allclose(weights[seen, JAW], np.arange(200)[seen] / 50, atol=1e-5)


def test_faster_audio_reads_the_motion_faster() -> None:
    weights, observed = on_frame_clock(ramp(90, 30.0, start_s=0.0), frames=100, speed=1.25)
    np.testing.assert_allclose(weights[:, JAW][observed[:, 0]], 1.25 * np.arange(100)[observed[:, 0]] / 50, atol=1e-5)


def test_predictions_are_read_at_the_recordings_times() -> None:
    prediction = np.tile((np.arange(100) / 50)[:, None], (1, 52)).astype(np.float32)
    motion = ramp(90, 30.0, start_s=-0.02)
    matched, keep = at_recording_times(prediction, motion)
    assert not keep[0] and keep[1:60].all() and not keep[-1]
    np.testing.assert_allclose(matched[keep, 0], motion.times_s[keep], atol=1e-5)


def test_phone_labels_fall_on_frames() -> None:
    labels = phone_labels([("SIL", 0.0, 0.1), ("AH0", 0.1, 0.06), ("zz", 0.16, 0.04)], frames=12)
    assert [PHONES[i] for i in labels[:8]] == ["SIL"] * 5 + ["AH"] * 3
    assert (labels[8:] == UNKNOWN).all()
    assert phone_index("pau") == phone_index("SIL") == 0


def test_a_generated_corpus_loads(tmp_path: Path) -> None:
    clips = read_manifest(write_corpus(tmp_path))
    assert len(clips) == 9
    assert len(read_manifest(tmp_path, "val", "grid")) == 1
    assert len(load_audio(clips[0])) == 64000 and clips[0].frames == 200
    motion = load_motion(clips[0])
    assert not motion.observed[:, INDEX["tongueOut"]].any() and motion.observed[:, JAW].all()


def test_voices_come_to_those_who_ask(tmp_path: Path) -> None:
    without = read_manifest(write_corpus(tmp_path))
    assert read_manifest(tmp_path, voices=True) == without and read_manifest(tmp_path, source="voices") == []
    write_voices(tmp_path)
    assert read_manifest(tmp_path) == without
    voices = read_manifest(tmp_path, "train", "voices")
    assert read_manifest(tmp_path, "train", voices=True) == [*read_manifest(tmp_path, "train"), *voices]
    assert [(c.id, c.identity, c.age, c.motion) for c in voices] == [
        ("voice_0", "so_0", 6, None),
        ("voice_1", "so_1", 7, None),
        ("voice_2", "so_2", None, None),
    ]
    assert all(load_audio(c).shape == (64000,) and c.text for c in voices)


def test_the_real_voices_are_split_by_speaker(corpus: Path) -> None:
    train, val = (read_manifest(corpus, split, "voices") for split in ("train", "val"))
    if not train:
        pytest.skip("this corpus has no voices.jsonl")
    assert (len({c.identity for c in train}), len({c.identity for c in val})) == (443, 39)
    assert not {c.identity for c in train} & {c.identity for c in val}
    for clip in (train[0], train[-1]):
        assert len(load_audio(clip)) / 16000 == pytest.approx(clip.seconds, abs=0.02)


def test_the_real_corpus_is_what_its_readme_says(corpus: Path) -> None:
    clips = read_manifest(corpus)
    moving = [c for c in clips if c.motion]
    assert sum(c.seconds for c in moving if c.split == "train") / 60 == pytest.approx(70, abs=1)
    assert {c.emotion for c in clips} == set(EMOTIONS)
    train, val = ({c.identity for c in moving if c.split == s and c.source == "ravdess"} for s in ("train", "val"))
    assert not train & val, "validation actors must be unseen"
    assert not load_motion(moving[0]).observed.all()


def test_synthetic_motion_is_told_from_measured_motion(tmp_path: Path) -> None:
    measured = read_manifest(write_corpus(tmp_path))[0]
    assert not is_synthetic(measured)
    assert is_synthetic(replace(measured, motion_kind="synthetic: dominance functions"))
    assert not is_synthetic(replace(measured, motion=None, motion_kind="synthetic: dominance functions"))
