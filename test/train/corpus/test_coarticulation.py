"""Dominance functions at moments whose value is known, their fit, and motion that is marked synthetic."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from data_sets import jaw_curve, write_sound

from dtalker_model.blendshapes import INDEX, LOWER_FACE, UPPER_FACE
from training.__main__ import main
from training.corpus.clips import Clip, is_synthetic, load_motion, read_manifest
from training.corpus.coarticulation import SHIPPED, Visemes, curves, load, neighbourhood, save
from training.corpus.phones import PHONES, UNKNOWN, phone_index

JAW = INDEX["jawOpen"]
B, AA, SIL = (phone_index(name) for name in ("B", "AA", "SIL"))


def two_phones(alpha_b: float = 3.0) -> Visemes:
    """One blendshape, jawOpen: /b/ closes, /aa/ opens to 0.8; rates 20/s before and 10/s after a segment."""
    target = np.zeros((len(PHONES), 1), np.float32)
    target[AA] = 0.8
    strength = np.zeros_like(target)
    strength[B] = np.log(alpha_b)
    ones = np.ones_like(target)
    return Visemes(np.array([JAW]), target, strength, 20 * ones, 10 * ones, ("made up",), "CC0")


def test_dominance_has_its_known_values() -> None:
    times_s = np.array([0.0, 0.45, 0.5, 0.55, 1.0])
    jaw = curves(two_phones(), [("B", 0.0, 0.5), ("AA1", 0.5, 0.5)], times_s)[:, JAW]
    before = np.exp(-20 * 0.05)  # anticipation of /aa/, 50 ms ahead
    after = 3 * np.exp(-10 * 0.05)  # carry-over of /b/, 50 ms later
    np.testing.assert_allclose(jaw[1:4], [0.8 * before / (before + 3), 0.8 / (1 + 3), 0.8 / (1 + after)], rtol=1e-5)
    assert jaw[0] < 1e-4 and jaw[4] == pytest.approx(0.8 / (1 + 3 * np.exp(-5)), rel=1e-5)


def test_a_lone_segment_is_its_target() -> None:
    weights = curves(two_phones(), [("AA", 0.2, 0.1)], np.linspace(0, 5, 20))
    np.testing.assert_allclose(weights[:, JAW], 0.8, rtol=1e-5)
    assert not np.delete(weights, JAW, axis=1).any()


def test_a_pause_is_still() -> None:
    jaw = curves(two_phones(), [("AA", 0.0, 0.3), ("SIL", 0.3, 2.0), ("AA", 2.3, 0.3)], np.array([0.8, 1.3, 1.8]))[
        :, JAW
    ]
    assert (jaw < 0.01).all()


def test_unknown_phones_do_not_pull() -> None:
    phones = [("B", 0.0, 0.2), ("???", 0.2, 0.2), ("AA", 0.4, 0.2)]
    around = neighbourhood(phones, np.array([0.3]))
    assert (around.phones == UNKNOWN).sum() == 9 and around.before_s.max() == pytest.approx(0.1)
    assert np.isfinite(curves(two_phones(), phones, np.linspace(0, 0.6, 30))).all()
    for empty, why in (([], "no phones"), ([("???", 0.0, 1.0)], "no known phone")):
        with pytest.raises(ValueError, match=why):
            curves(two_phones(), empty, np.zeros(1))


def test_visemes_survive_their_file(tmp_path: Path) -> None:
    save(two_phones(), tmp_path / "v.json", {"command": "none"})
    held = load(tmp_path / "v.json")
    np.testing.assert_allclose(held.strength, two_phones().strength, atol=6e-3)
    assert (held.sources, held.licence, held.coefficients.tolist()) == (("made up",), "CC0", [JAW])
    (tmp_path / "v.json").write_text("{}")
    with pytest.raises(ValueError, match="holds no visemes"):
        load(tmp_path / "v.json")


def test_the_shipped_visemes_close_the_lips_and_open_the_vowels() -> None:
    visemes = load(SHIPPED)
    assert set(visemes.coefficients) <= set(LOWER_FACE)
    assert (visemes.sources, visemes.licence) == (("grid",), "grid CC BY 4.0")
    segments = (
        ("SIL", 0.3),
        ("B", 0.08),
        ("AY", 0.2),
        ("P", 0.08),
        ("IY", 0.15),
        ("W", 0.1),
        ("AH", 0.12),
        ("SIL", 0.9),
    )
    ends = np.cumsum([length for _, length in segments])
    phones = [(name, end - length, length) for (name, length), end in zip(segments, ends)]
    bilabial, vowel, bilabial_2, _, rounded, _, _ = curves(visemes, phones, ends[1:] - np.diff(ends, prepend=0)[1:] / 2)
    rest = curves(visemes, phones, ends[-1:] - 0.1)[0]
    assert rest[JAW] < 0.02 < 0.04 < vowel[JAW] - bilabial[JAW] and vowel[JAW] - bilabial_2[JAW] > 0.08
    pucker = INDEX["mouthPucker"]
    assert rounded[pucker] > 0.25 > 0.1 > max(rest[pucker], vowel[pucker], bilabial[pucker])
    assert SHIPPED.stat().st_size < 80_000


def spoken_corpus(folder: Path) -> Path:
    """Three clips with phones: one with measured motion, one with none, one whose phones are no ARPAbet."""
    phones = [["SIL", 0.0, 0.3], ["B", 0.3, 0.2], ["AA1", 0.5, 0.5], ["SIL", 1.0, 0.5]]
    for k in range(3):
        soundfile.write(folder / f"{k}.flac", soundfile.read(write_sound(folder / "tone.wav"))[0], 16000)
    common = {"source": "s", "split": "train", "identity": "i", "emotion": "neutral", "seconds": 1.5, "licence": "CC0"}
    rows = [{"id": str(k), "audio": f"{k}.flac", "phones": phones, **common} for k in range(3)]
    np.savez(folder / "0.npz", weights=jaw_curve(30).astype(np.float16), observed=np.ones(52, bool))
    rows[0] |= {"motion": "0.npz", "fps": 30.0, "motion_kind": "captured", "motion_start_s": 0.0}
    rows[2]["phones"] = [["ʃ", 0.0, 1.5]]
    (folder / "manifest.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return folder


def test_synthetic_motion_is_marked_and_measured_motion_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = spoken_corpus(tmp_path)
    assert main(["data", "animate", str(folder)]) == 0
    report = capsys.readouterr().out
    assert "animated 1, already there 1, refused 1" in report and "refused 2: a moment has no known phone" in report
    measured, made, _ = read_manifest(folder)
    assert not is_synthetic(measured) and is_synthetic(made) and made.fps == 50
    motion = load_motion(made)
    assert len(motion.weights) == 75 and not motion.observed[:, UPPER_FACE].any() and motion.observed[:, JAW].all()
    assert motion.weights[38:45, JAW].min() > motion.weights[20, JAW] + 0.1
    assert json.loads((folder / "manifest.jsonl").read_text().splitlines()[1])["motion_licence"].startswith(
        "grid CC BY"
    )
    save(replace(load(SHIPPED), sources=("other",)), folder / "v.json", {})
    assert main(["data", "animate", str(folder), "--again", "--visemes", str(folder / "v.json")]) == 0
    assert [c.motion_kind[-5:] for c in read_manifest(folder)] == ["tured", "other", ""]
    assert main(["data", "animate", str(folder), "--visemes", str(folder / "manifest.jsonl")]) == 2


def random_speech(clips: int) -> list[Clip]:
    """Clips of /b/, /aa/ and pauses in random order and length."""
    draw = np.random.default_rng(0)
    common = Clip(Path(), "", "made up", "train", "i", "neutral", "", 0.0, "CC0", motion="x", fps=50.0)
    made = []
    for k in range(clips):
        length_s = draw.uniform(0.06, 0.3, 12)
        start_s = np.cumsum(length_s) - length_s
        names = [PHONES[i] for i in draw.choice([B, AA, SIL], 12)]
        made.append(replace(common, id=str(k), phones=tuple(zip(names, start_s, length_s))))
    return made


def test_the_fit_finds_the_curves_that_made_the_motion(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")
    from training.corpus import coarticulation_fit as fitting
    from training.corpus.clips import Motion

    def motion(clip: Clip) -> Motion:
        times_s = np.arange(0, clip.phones[-1][1], 0.02)
        return Motion(
            curves(two_phones(), clip.phones, times_s), np.tile(np.arange(52) == JAW, (len(times_s), 1)), times_s
        )

    monkeypatch.setattr(fitting, "load_motion", motion)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # on a busy machine, more of them wait for each other
    monkeypatch.setattr(fitting, "BATCH", 512)
    clips = random_speech(30)
    found = fitting.fit(fitting.gather(clips, ["made up"]), ["made up"], "CC0", steps=150)
    torch.set_num_threads(threads)
    assert found.coefficients.tolist() == [JAW]
    assert found.target[AA, 0] > 0.6 and found.target[B, 0] < 0.1 and found.strength[B, 0] > found.strength[AA, 0]
    (figures,) = fitting.correlations(found, clips, {"jawOpen": JAW}).values()
    assert figures["jawOpen"] > 0.98
    synthetic = [replace(clip, motion_kind="synthetic: x") for clip in clips]
    with pytest.raises(ValueError, match="no measured clip with phones of made up"):
        fitting.gather(synthetic, ["made up"])
