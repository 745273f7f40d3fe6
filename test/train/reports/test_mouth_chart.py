"""The mouth chart and the film: which faces are chosen, and that files of the right form are written."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install '.[train]'")

from PIL import Image
from tiny_corpus import write_corpus, write_voices

from dtalker_model.blendshapes import INDEX
from training.corpus.clips import Clip, read_manifest
from training.corpus.face_basis import FaceBasis
from training.evaluation.predictor import About
from training.evaluation.strangers import stranger_clips
from training.reports import film as film_module
from training.reports import mouth_chart
from training.reports.film import chosen, film, shown
from training.reports.mouth_chart import SHOWN, mouths_of

JAW = INDEX["jawOpen"]


def face() -> FaceBasis:
    flat, gap_mm = np.zeros((52, 3)), np.zeros(52)
    gap_mm[JAW] = 30.0
    return FaceBasis(flat, flat, np.zeros((52, 6)), np.zeros((52, 52)), 1.0, gap_mm, gap_mm)


def clip(*phones: tuple[str, float, float]) -> Clip:
    return Clip(Path(), "a", "voices", "val", "so_1", "neutral", "a.flac", 2.0, "CC0", phones=phones)


def jaw(*values: float) -> np.ndarray:
    weights = np.zeros((len(values), 52))
    weights[:, JAW] = values
    return weights


def test_consonants_are_shown_where_the_lips_are_nearest_and_vowels_at_their_middle() -> None:
    said = jaw(*np.full(10, 0.3), 0.2, 0.02, 0.1, *np.full(7, 0.3), 0.4, 0.5, 0.6, 0.5, 0.4)
    found = mouths_of([clip(("B", 0.2, 0.05), ("AA1", 0.4, 0.08), ("F", 0.2, 0.05))], [said], face())
    assert list(found) == ["b", "f", "a"] == [title for title in SHOWN if title in "bfa"]
    assert [found[title].weights[JAW] for title in found] == pytest.approx([0.02, 0.02, 0.6])
    assert [found[title].caption for title in found] == ["100%", "100%, 0.6 mm", "18.0 mm"]


def test_a_face_is_the_median_of_all_such_phones() -> None:
    clips = [clip(("P", 0.0, 0.06))] * 3
    found = mouths_of(clips, [jaw(*[w] * 4) for w in (0.0, 0.1, 0.9)], face())
    assert found["p"].weights[JAW] == pytest.approx(0.1) and found["p"].caption == "33%"


class Speaker:
    """A mouth that opens and closes all the time."""

    ear = live = None
    about = About("speaker", "", 1, 0, 1, "", "")

    def __call__(self, clips: Sequence[Clip], seed: int = 0) -> list[np.ndarray]:
        return [jaw(*(0.2 - 0.2 * np.cos(np.arange(c.frames) / 4))) for c in clips]


@pytest.fixture
def corpus_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    monkeypatch.setenv("DTALKER_CORPUS", str(write_voices(write_corpus(folder))))
    return folder


def test_the_chart_has_a_row_a_model(corpus_here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(stranger_clips(corpus_here, "val")) == 1
    monkeypatch.setattr(mouth_chart, "open_predictor", lambda model: Speaker())
    sizes = []
    for beside in ((), ("teacher=b",)):
        mouth_chart.main("a", beside, tmp_path / "new" / "mouths.png")
        with Image.open(tmp_path / "new" / "mouths.png") as picture:
            sizes.append(picture.size)
            assert picture.mode == "P"
    mouth_chart.main("a", ("a=b",), tmp_path / "new" / "mouths.png")
    with Image.open(tmp_path / "new" / "mouths.png") as picture:
        assert picture.size[1] == sizes[1][1], "two models of one name have a row each"
    assert sizes[1][1] > 1.5 * sizes[0][1] and sizes[1][0] == pytest.approx(sizes[0][0], abs=20)
    (corpus_here / "voices.jsonl").unlink()
    with pytest.raises(ValueError, match=r"no voices\.jsonl"):
        mouth_chart.main("a", (), tmp_path / "none.png")


def test_the_clip_of_a_film_is_a_fitting_one(corpus_here: Path) -> None:
    clips = read_manifest(corpus_here, "val", "voices")
    assert chosen(clips, "voice_3").id == "voice_3"
    with pytest.raises(ValueError, match="no validation clip of 6 to 10 s; there are 1 clips"):
        chosen(clips, "")
    with pytest.raises(ValueError, match="no validation clip 'other'"):
        chosen(clips, "other")


def test_a_film_shows_blinks_and_a_mouth_that_rests() -> None:
    weights = jaw(*np.full(500, 0.5))
    seen = shown(weights, np.zeros(500 * 320 - 100, np.float32))
    assert seen.shape == (500, 52) and seen[100:, JAW].max() < 0.01, "nobody speaks"
    assert seen[:, INDEX["eyeBlinkLeft"]].max() > 0.5


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed: apt-get install ffmpeg")
def test_a_film_has_picture_and_sound(corpus_here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film_module, "open_predictor", lambda model: Speaker())
    monkeypatch.setattr(film_module, "SIZE", 64)
    film("a", tmp_path / "new" / "film.mp4", "voice_3")
    command = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_type,duration", "-of", "csv=p=0"]
    run = subprocess.run([*command, str(tmp_path / "new" / "film.mp4")], capture_output=True, text=True, check=True)
    streams = dict(line.split(",") for line in run.stdout.split())
    assert set(streams) == {"video", "audio"}
    assert all(float(s) == pytest.approx(4.0, abs=0.1) for s in streams.values())
