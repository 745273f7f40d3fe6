"""VOCASET in its two layouts, weights solved from vertices, and pickles that are refused."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
from data_sets import JAW, bring, check_jaw, flame_vertices, jaw_curve, write_face, write_sound

from dtalker_model.blendshapes import INDEX
from training.corpus import load_motion
from training.data import plain_pickle
from training.data.flame import FLAME_VERTICES, given_face, solver


@pytest.mark.parametrize("layout", ["published", "prepared"])
def test_vocaset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str) -> None:
    corpus, src = tmp_path / "corpus", tmp_path / "vocaset"
    for folder in (corpus, src):
        folder.mkdir()
    write_face(corpus)
    monkeypatch.setenv("DTALKER_CORPUS", str(corpus))
    weights = jaw_curve(60)
    weights[:, INDEX["mouthFunnel"]] = 0.4
    vertices, template = flame_vertices(weights, corpus)
    subject = "FaceTalk_170811_03275_TA"
    (src / "templates.pkl").write_bytes(pickle.dumps({subject: template}, protocol=2))
    if layout == "published":
        np.save(src / "data_verts.npy", np.concatenate([np.zeros_like(vertices[:5]), vertices]))
        index = {subject: {"sentence01": {k: k + 5 for k in range(len(vertices))}, "sentence02": {0: 9999}}}
        (src / "subj_seq_to_idx.pkl").write_bytes(pickle.dumps(index, protocol=2))
        tone = soundfile.read(write_sound(src / "tone.wav", 22000), dtype="int16")[0]
        sounds = {subject: {s: {"audio": tone, "sample_rate": 22000} for s in index[subject]}}
        (src / "raw_audio_fixed.pkl").write_bytes(pickle.dumps(sounds, protocol=2))
    else:
        write_sound(src / "wav" / f"{subject}_sentence01.wav", 22000)
        (src / "vertices_npy").mkdir()
        np.save(src / "vertices_npy" / f"{subject}_sentence01.npy", vertices.reshape(len(vertices), -1))
        write_sound(src / "wav" / "stranger_sentence01.wav", 22000)
    (clip,) = bring("vocaset", src, tmp_path / "out")
    assert (clip.id, clip.split) == (f"vocaset_{subject}_sentence01", "val") and "non-commercial" in clip.licence
    check_jaw(clip)
    motion = load_motion(clip)
    np.testing.assert_allclose(motion.weights[:, INDEX["mouthFunnel"]], 0.4, atol=2e-3)
    assert not motion.observed[:, [INDEX["tongueOut"], INDEX["eyeLookInLeft"]]].any()


def test_a_given_basis_solves_what_it_spans(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    vertices = draw.choice(FLAME_VERTICES, 40, replace=False)
    parts = {"names": np.array(["jawOpen", "MouthFunnel"]), "delta_cm": draw.normal(size=(2, 40, 3))}
    parts |= {"neutral_cm": 5 * draw.normal(size=(40, 3)), "flame_vertices": vertices}
    np.savez(tmp_path / "basis.npz", **parts)  # type: ignore[arg-type]
    face = given_face(tmp_path / "basis.npz")
    assert face.observed.sum() == 2
    template = np.zeros((FLAME_VERTICES, 3))
    template[vertices] = 0.01 * parts["neutral_cm"]
    moved = np.tile(template, (3, 1, 1))
    moved[:, vertices] += 0.01 * np.einsum("tk,kvc->tvc", [[0, 0], [0.3, 0.9], [1.5, -0.5]], parts["delta_cm"])
    weights = solver(face, template)(moved)[:, [JAW, INDEX["mouthFunnel"]]]
    np.testing.assert_allclose(weights[:2], np.array([[0.0, 0.0], [0.3, 0.9]]), atol=2e-3)
    assert weights[2] == pytest.approx([1, 0]), "within bounds"
    np.savez(tmp_path / "basis.npz", names=parts["names"])
    with pytest.raises(ValueError, match="lacks delta_cm, flame_vertices, neutral_cm"):
        given_face(tmp_path / "basis.npz")


def test_pickles_that_run_code_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps(print))
    with pytest.raises(ValueError, match=r"bad\.pkl cannot be read: it holds builtins\.print"):
        plain_pickle.read(tmp_path / "bad.pkl")
