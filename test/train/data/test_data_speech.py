"""Speech with known phones: flite's clips, and the aligner against the demo clip, whose phones are exact."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from training.__main__ import main
from training.corpus.clips import load_audio, read_manifest, with_phones
from training.corpus.phones import phone_index
from training.data.align import Aligner, Alignment, believed, energy_on_phones, normalised, pronounce
from training.data.source import Refusal

needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
FIRST_PART = "Hello! I am a talking face. Pam bought a big blue boat from Bob."


def demo(demo_wav: Path) -> tuple[np.ndarray, list[tuple[str, float, float]]]:
    """The demo clip's first sentence pair: audio, and its exact phones (name, start_s, end_s)."""
    phones = json.loads(demo_wav.with_name("demo.phones.json").read_text())
    end_s = next(end for name, start, end in phones if name == "pau" and start > 3)
    audio, _ = soundfile.read(demo_wav, dtype="float32")
    return audio[: round(end_s * 16000)], [tuple(p) for p in phones if p[2] <= end_s]


def test_the_aligner_finds_the_exact_phones(demo_wav: Path) -> None:
    pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed: pip install pocketsphinx")
    audio, exact = demo(demo_wav)
    found = Aligner()(audio, FIRST_PART)
    assert [word for word, *_ in found.words] == normalised(FIRST_PART)
    closed, known = ([start for name, start, _ in p if name.upper() in ("P", "B", "M")] for p in (found.phones, exact))
    assert len(closed) == len(known) == 10
    assert np.median(np.abs(np.array(closed) - np.array(known))) <= 0.02
    assert sum(length for *_, length in found.phones) == pytest.approx(len(audio) / 16000, abs=0.05)


def test_the_aligner_carries_nothing_over_and_refuses_another_text(demo_wav: Path) -> None:
    pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed: pip install pocketsphinx")
    audio, _ = demo(demo_wav)
    aligner = Aligner()
    first = aligner(audio, FIRST_PART)
    for text in ("the weather will be nice tomorrow", "please call stella"):
        with pytest.raises(Refusal, match=r"no alignment|does not fit|of the sound"):
            aligner(audio, text)
    assert aligner(audio, FIRST_PART) == first


def test_an_alignment_is_believed_where_the_sound_is() -> None:
    audio = np.concatenate([np.zeros(8000), np.ones(8000)]).astype(np.float32)
    right = Alignment((("SIL", 0.0, 0.5), ("B", 0.5, 0.25), ("IY", 0.75, 0.25)), (("be", 0.5, 0.5),), fit=-10.0)
    assert energy_on_phones(right.phones, audio) == pytest.approx(1.0)
    assert energy_on_phones((("B", 0.25, 0.5), ("SIL", 0.75, 0.25)), audio) == pytest.approx(0.5)
    assert believed(right, ["be"], audio) is right
    with pytest.raises(Refusal, match="1 of 2 words found"):
        believed(right, ["to", "be"], audio)
    with pytest.raises(Refusal, match="only 0% of the sound"):
        believed(right, ["be"], audio[::-1])
    with pytest.raises(Refusal, match=r"does not fit the audio \(score -50"):
        believed(Alignment(right.phones, right.words, -50.0), ["be"], audio)


def test_text_is_normalised() -> None:
    assert normalised("“Well-known,” he didn’t say…".replace("“", '"').replace("”", '"').replace("…", "...")) == [
        *("well", "known", "he", "didn't", "say")
    ]
    with pytest.raises(Refusal, match="write out in words: 42"):
        normalised("the 42 answers")
    with pytest.raises(Refusal, match="no text"):
        normalised(" … ".replace("…", "..."))


@needs_flite
def test_unknown_words_are_spelled_out() -> None:
    assert pronounce("blendshape") == ["B", "L", "EH", "N", "D", "SH", "EY", "P"]


@needs_flite
def test_a_text_is_spoken_with_exact_phones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "lines.txt"
    text.write_text("Pam bought\n\n  a   boat\n...\n")
    command = ["data", "speak", str(text), str(tmp_path / "out"), "--voices", "slt,kal16"]
    assert main(command) == 0
    assert "spoken 4, already there 0, refused 2" in capsys.readouterr().out
    clips = read_manifest(tmp_path / "out")
    assert [c.id for c in clips] == ["flite_slt_00001", "flite_kal16_00001", "flite_slt_00002", "flite_kal16_00002"]
    assert all(c.text in ("Pam bought", "a boat") and c.motion is None and c.split == "train" for c in clips)
    for clip in clips:
        assert all(phone_index(name) >= 0 for name, *_ in clip.phones)
        end_s = clip.phones[-1][1] + clip.phones[-1][2]
        assert end_s == pytest.approx(len(load_audio(clip)) / 16000, abs=0.03)
    assert main(command) == 0
    assert "spoken 0, already there 4" in capsys.readouterr().out
    text.write_text("Pam bought\nanother boat\n")
    assert main(command) == 0
    assert "spoken 2, already there 2" in capsys.readouterr().out


@needs_flite
def test_what_cannot_be_spoken_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "some.txt").write_text("hello\n")
    for arguments, why in (
        (["empty.txt"], "no text in"),
        (["absent.txt"], "absent.txt"),
        (["some.txt", "--voices", "nobody"], "flite has no voice nobody"),
    ):
        assert main(["data", "speak", str(tmp_path / arguments[0]), str(tmp_path / "out"), *arguments[1:]]) == 2
        error = capsys.readouterr().err
        assert why in error and len(error.splitlines()) == 1


@needs_flite
def test_a_corpus_is_aligned_in_place_or_beside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed: pip install pocketsphinx")
    (tmp_path / "lines.txt").write_text("Pam bought a big blue boat from Bob.\nwe love mornings 42\n")
    main(["data", "speak", str(tmp_path / "lines.txt"), str(tmp_path / "out"), "--voices", "slt"])
    manifest, beside = tmp_path / "out" / "manifest.jsonl", tmp_path / "phones.jsonl"
    before = manifest.read_text()
    assert main(["data", "align", str(manifest), "--out", str(beside)]) == 0
    assert "refused flite_slt_00002: write out in words: 42" in capsys.readouterr().out
    assert manifest.read_text() == before
    clips = read_manifest(tmp_path / "out")
    exact, aligned = clips[0].phones, with_phones(clips, beside)[0].phones
    assert exact != aligned and len(aligned) > 20
    assert main(["data", "align", str(manifest)]) == 0
    assert "aligned 0, already there 2" in capsys.readouterr().out
    assert main(["data", "align", str(manifest), "--again"]) == 0
    assert read_manifest(tmp_path / "out")[0].phones == aligned


def test_nothing_to_align_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "align", str(tmp_path)]) == 2
    assert "no manifest at" in capsys.readouterr().err
