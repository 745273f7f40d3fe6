"""What is heard of a clip: the student hears it spoilt, frozen ears hear the clip itself, once for each speed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from tiny_corpus import write_corpus, write_voices

from training.corpus.augment import Augmentation, play_at
from training.corpus.clips import Clip, load_audio, read_manifest
from training.corpus.variants import Hearing, Variant, log_mel, make_variants
from training.release.release import training_data
from training.stages import preparation
from training.stages.preparation import DataConfig, aligned, crowd_among, prepare


class FrozenEar:
    """Rows of one value a frame, the loudness of the audio; it counts how often it listened."""

    def __init__(self) -> None:
        self.heard: list[np.ndarray] = []

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        self.heard.append(audio)
        return np.full((-(-len(audio) // 320), 1), np.abs(audio).mean(), np.float16)


def variants_of(clip: Clip, copies: int, ear: FrozenEar) -> list[Variant]:
    hearings: dict[str, Hearing] = {"log_mel": log_mel, "whisper": ear, "clean_log_mel": log_mel}
    return make_variants([clip], copies, Augmentation(), 0, hearings)


@pytest.fixture
def corpus_here(tmp_path: Path) -> Path:
    return write_voices(write_corpus(tmp_path))


def test_frozen_ears_hear_the_clip_once_at_each_speed(corpus_here: Path) -> None:
    clip = read_manifest(corpus_here, "train", "ravdess")[0]
    ear = FrozenEar()
    variants = variants_of(clip, 20, ear)
    recorded = load_audio(clip)
    speeds = sorted(round(len(recorded) / len(audio), 2) for audio in ear.heard)
    assert len(variants) == 21 and speeds == sorted(set(speeds)) == [0.87, 1.0, 1.15, 1.25]
    for audio in ear.heard:
        speed = round(len(recorded) / len(audio), 2)
        np.testing.assert_array_equal(audio, play_at(recorded, speed))
    lengths = {len(v.phones) for v in variants}
    for frames in lengths:
        alike = [v for v in variants if len(v.phones) == frames]
        for name in ("whisper", "clean_log_mel"):
            assert len({id(v.heard[name]) for v in alike}) == 1
        assert len({v.features.tobytes() for v in alike}) == len(alike), "each is spoilt in its own way"
    assert all(len(x) == len(v.phones) == len(v.weights) for v in variants for x in v.heard.values())


def test_the_first_variant_is_the_clip_as_recorded(corpus_here: Path) -> None:
    clip = read_manifest(corpus_here, "train", "ravdess")[0]
    first = variants_of(clip, 0, FrozenEar())[0]
    np.testing.assert_array_equal(first.features, first.heard["clean_log_mel"])
    np.testing.assert_array_equal(first.features, log_mel(load_audio(clip)))


def test_clips_that_are_only_heard_mostly_keep_their_speed(corpus_here: Path) -> None:
    clip = read_manifest(corpus_here, "train", "voices")[0]
    variants = variants_of(clip, 40, FrozenEar())
    moved = sum(len(v.phones) != clip.frames for v in variants)
    assert 3 <= moved <= 18 and all("clean_log_mel" in v.heard for v in variants)
    assert set(make_variants([clip], 1, Augmentation(), 0)[1].heard) == {"log_mel"}


def test_voices_are_heard_where_their_phones_are_known(corpus_here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def align(corpus: Path, source: str, split: str, out: Path, again: bool) -> None:
        asked.append(source)
        out.write_text('{"id": "voice_2", "phones": []}\n')

    monkeypatch.setattr(preparation, "align_manifest", align)
    config = DataConfig(
        share={"grid": 1}, heard_share={"voices": 1}, copies={"grid": 1}, voice_copies=2, emotions=("neutral",)
    )
    for _ in range(2):
        data = prepare(config, corpus_here, corpus_here / "cache")
        heard = data.heard.by_source["voices"]
        assert [v.clip.id for v in heard] == ["voice_0"] * 3 + ["voice_1"] * 3
        assert all((v.phones >= 0).any() and not v.observed.any() for v in heard)
    assert asked == ["voices"], "what was refused is not asked for again"
    voices = [v.clip for v in heard]
    assert set(crowd_among([], voices, 0).identities) == {"so_0", "so_1"}
    assert training_data(voices)[0]["minutes_audio_only"] == pytest.approx(0.4)


def test_voices_that_are_not_there_are_one_error(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    with pytest.raises(ValueError, match=r"heard_share names voices, but the corpus has no voices\.jsonl"):
        prepare(DataConfig(heard_share={"voices": 1}), tmp_path, tmp_path / "cache")


def test_nobody_who_does_not_ask_aligns_voices(corpus_here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "align_manifest", lambda *_: pytest.fail("nothing is to be aligned"))
    clips = read_manifest(corpus_here, "train")
    assert aligned(clips, corpus_here, corpus_here / "phones.jsonl") == clips


def test_data_align_covers_the_voices_in_their_own_manifest(corpus_here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.data import align

    class Heard:
        phones = (("B", 0.0, 0.1),)

    monkeypatch.setattr(align, "Aligner", lambda: lambda audio, text: Heard)
    manifest = (corpus_here / "manifest.jsonl").read_text()
    report = align.align_manifest(corpus_here, None, "train", None, again=False)
    assert (report.done, report.kept) == (1, 2) and (corpus_here / "manifest.jsonl").read_text() == manifest
    assert read_manifest(corpus_here, "train", "voices")[2].phones == (("B", 0.0, 0.1),)
