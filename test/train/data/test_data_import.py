"""Adapters and the import, on tiny generated files in each layout, broken ones among them."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from data_sets import (
    JAW,
    SECONDS,
    flame_vertices,
    jaw_curve,
    livelink_rows,
    write_beat,
    write_etf,
    write_face,
    write_sound,
)

from dtalker_model.blendshapes import INDEX
from training.__main__ import main
from training.corpus.clips import Clip, load_audio, load_motion, read_manifest
from training.data.layouts import beat, etf, plain_pickle
from training.data.source import Candidate, Recording, Refusal, split_of


def bring(kind: str, src: Path, dst: Path, *options: str) -> list[Clip]:
    assert main(["data", "import", kind, str(src), str(dst), *options]) == 0
    return read_manifest(dst)


def check_jaw(clip: Clip) -> None:
    """The jaw opens as time goes, and audio and motion load as the corpus loads them."""
    assert len(load_audio(clip)) == pytest.approx(SECONDS * 16000, abs=2)
    motion = load_motion(clip)
    np.testing.assert_allclose(motion.weights[:, JAW], motion.times_s / SECONDS, atol=2e-3)
    assert motion.observed[:, JAW].all()


def test_beat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    src = tmp_path / "beat" / "1"
    src.mkdir(parents=True)
    for name in ("1_wayne_0_9_9", "1_wayne_0_65_a", "1_wayne_1_2_2", "1_wayne_0_87_87", "1_wayne_0_111_111"):
        write_beat(src, name)
    (src / "1_wayne_0_9_9.TextGrid").unlink()
    write_sound(src / "1_wayne_0_10_10.wav")
    write_beat(src, "1_wayne_0_11_11", np.full((90, 51), np.nan))
    write_beat(src, "1_wayne_0_12_12", np.full((90, 51), 50.0))
    write_beat(src, "1_wayne_0_13_13", np.zeros((900, 51)))
    write_beat(src, "1_wayne_0_14_14", np.zeros((90, 7)))
    (src / "1_wayne_0_14_14.wav").write_bytes(b"RIFF")
    write_beat(src, "notes")
    clips = {c.id: c for c in bring("beat", tmp_path / "beat", tmp_path / "out", "--val", "beat_1_wayne")}
    assert {c.emotion for c in clips.values()} == {"neutral", "happy", "disgust"} and len(clips) == 4
    happy = clips["beat_1_wayne_0_65_a"]
    check_jaw(happy)
    assert (happy.split, happy.identity, happy.licence, happy.fps) == ("val", "beat_1_wayne", "CC BY-NC 4.0", 60)
    assert happy.phones == (("SIL", 0.0, 0.5), ("B", 0.5, 0.3), ("IY1", 0.8, 0.7)) and happy.text == "be"
    assert not load_motion(happy).observed[:, INDEX["tongueOut"]].any()
    assert not clips["beat_1_wayne_0_9_9"].phones
    report = capsys.readouterr().out
    for why in ("contempt", "no .json of this name", "NaN", "weights in 50..50", "not the same take", "51 blendshapes"):
        assert why in report
    assert "notes: the name is not BEAT's" in report and "refused 7" in report


def test_beat_frames_are_read_at_their_own_times(tmp_path: Path) -> None:
    times_s = 0.05 + np.arange(85) / 58.0  # slower than it says
    frames = [{"weights": [float(t) / SECONDS], "time": float(t)} for t in times_s]
    (tmp_path / "a.json").write_text(json.dumps({"names": ["jawOpen"], "frames": frames}))
    track = beat.read_track(tmp_path / "a.json", start_s=0.1)
    assert (track.fps, track.start_s, track.confidence) == (60.0, pytest.approx(0.15), None)
    shown_s = track.start_s - 0.1 + np.arange(len(track.weights)) / 60
    np.testing.assert_allclose(track.weights[:, JAW], shown_s / SECONDS, atol=1e-5)
    (tmp_path / "a.json").write_text(json.dumps({"names": ["jawOpen"], "frames": frames[::-1]}))
    with pytest.raises(Refusal, match="times do not rise"):
        beat.read_track(tmp_path / "a.json")


def test_beat_numbers_tell_the_emotion() -> None:
    edges = {64: "neutral", 65: "happy", 72: "happy", 73: "angry", 81: "sad", 86: "sad", 87: "contempt"}
    edges |= {95: "surprised", 103: "fearful", 110: "fearful", 111: "disgust", 118: "disgust"}
    assert {start: beat.emotion_of(0, start) for start in edges} == edges
    assert beat.emotion_of(1, 70) == "neutral"


def test_3d_etf_ravdess(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    src = tmp_path / "RAVDESS"
    for name in ("01-01-03-02-02-01-09", "01-01-05-01-01-01-01", "01-01-05-01-01-01-24", "junk"):
        write_etf(src, name)
    np.save(src / "blendshape" / "01-01-05-01-01-01-01.npy", np.zeros((45, 51)))
    clips = {c.identity: c for c in bring("3d-etf-ravdess", src, tmp_path / "out")}
    assert {name: c.split for name, c in clips.items()} == {"ravdess_09": "val", "ravdess_24": "test"}
    sung = clips["ravdess_09"]
    check_jaw(sung)
    assert (sung.emotion, sung.intensity, sung.text) == ("happy", "strong", "dogs are sitting by the door")
    report = capsys.readouterr().out
    assert "junk: the name is not RAVDESS's" in report and "shape (45, 51)" in report


def test_3d_etf_hdtf(tmp_path: Path) -> None:
    src = tmp_path / "HDTF"
    for name in ("WRA_AdamKinzinger0_000", "WRA_AdamKinzinger1_003_01", "RD_Radio11_000"):
        write_etf(src, name)
    clips = bring("3d-etf-hdtf", src, tmp_path / "out")
    assert [c.identity for c in clips] == ["hdtf_Radio11", "hdtf_AdamKinzinger", "hdtf_AdamKinzinger"]
    check_jaw(clips[0])
    assert etf.hdtf_speaker("WDA", "007") == "007"


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


def test_pickles_that_run_code_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps(print))
    with pytest.raises(ValueError, match=r"bad\.pkl cannot be read: it holds builtins\.print"):
        plain_pickle.read(tmp_path / "bad.pkl")


def test_live_link_face(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    take = tmp_path / "me" / "20240506_MySlate_12"
    write_sound(take / "MySlate_12_iPhone.wav", 44100, channels=2)
    rows = livelink_rows(jaw_curve(60))
    rows[41] = rows[41].split(",")[0] + ",0" + "," * 53
    for k in range(51, 60):
        rows[k] = rows[k].split(",")[0] + ",0" + "," * 53
    (take / "MySlate_12_iPhone_cal.csv").write_text("\n".join(rows))
    (take / "MySlate_12_iPhone.csv").write_text("broken")
    (take / "MySlate_13_iPhone.csv").write_text("\n".join(rows))
    (clip,) = bring("livelink", tmp_path / "me", tmp_path / "out", "--emotion", "sad", "--val", "me")
    assert (clip.identity, clip.emotion, clip.split, clip.fps) == ("me", "sad", "val", 60)
    motion = load_motion(clip)
    seen = motion.observed[:, JAW]
    assert seen[:50].all() and not seen[50:59].any() and seen[59:].all(), "one lost row is bridged, nine are not"
    np.testing.assert_allclose(motion.weights[seen, JAW], motion.times_s[seen] / SECONDS, atol=2e-3)
    assert "no MySlate_13_iPhone.wav, .flac or .mov" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_the_sound_of_a_take_comes_from_its_video(tmp_path: Path) -> None:
    take = tmp_path / "MySlate_1"
    sound = write_sound(take / "sound.wav", 44100)
    video = ["-f", "lavfi", "-i", f"color=s=32x32:d={SECONDS}", "-c:a", "pcm_s16le", "-c:v", "mpeg4"]
    command = ["ffmpeg", "-v", "error", "-i", str(sound), *video, str(take / "MySlate_1_iPhone.mov")]
    subprocess.run(command, check=True, timeout=60)
    (take / "MySlate_1_iPhone.csv").write_text("\n".join(livelink_rows(jaw_curve(60))))
    (clip,) = bring("livelink", tmp_path, tmp_path / "out", "--identity", "me")
    check_jaw(clip)


def test_own_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    src = tmp_path / "mine"
    table = ["time_s,jawOpen,mouthsmileleft"] + [f"{k / 30:.4f},{k / 30 / SECONDS:.4f},0.5" for k in range(45)]
    for name in ("ann/happy/one", "ann/two", "bob/three", "bob/four", "bob/five"):
        write_sound(src / f"{name}.wav", 24000)
        (src / f"{name}.csv").write_text("\n".join(table))
    (src / "ann/two.csv").unlink()
    (src / "ann/two.txt").write_text("hello\nthere")
    (src / "bob/three.csv").unlink()
    (src / "bob/four.csv").write_text("\n".join(["a,b,c,d", "1,2,3,4", "1,2,3,4"]))
    (src / "bob/five.csv").write_text("\n".join([*table[:9], table[5]]))
    clips = {c.id: c for c in bring("folder", src, tmp_path / "out", "--licence", "CC0")}
    assert set(clips) == {"folder_ann_happy_one", "folder_ann_two"}
    one, two = clips["folder_ann_happy_one"], clips["folder_ann_two"]
    check_jaw(one)
    assert (one.emotion, one.identity, one.licence) == ("happy", "ann", "CC0")
    assert load_motion(one).observed[0].sum() == 2
    assert two.motion is None and two.text == "hello there"
    report = capsys.readouterr().out
    for why in ("neither three.csv nor three.txt", "no column time_s", "times do not rise"):
        assert why in report


def test_an_interrupted_import_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    src, dst, taken = tmp_path / "etf", tmp_path / "out", []
    for k in range(4):
        write_etf(src, f"RD_Radio{k}_000")
    read = etf._read

    def stop_at_the_third(*args: object) -> Recording:
        taken.append(args)
        if len(taken) == 3:
            raise KeyboardInterrupt
        return read(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(etf, "_read", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        main(["data", "import", "3d-etf-hdtf", str(src), str(dst)])
    assert len(read_manifest(dst)) == 2
    (dst / read_manifest(dst)[0].audio).unlink()
    assert len(bring("3d-etf-hdtf", src, dst)) == 4
    assert len(taken) == 3 + 3, "the two unread ones and the one whose audio is gone"
    assert not list(dst.rglob("*.part*"))
    assert len({json.loads(line)["id"] for line in (dst / "manifest.jsonl").read_text().splitlines()}) == 4


def test_a_speaker_never_changes_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_etf(tmp_path / "etf", "RD_Radio1_000")
    command = ["data", "import", "3d-etf-hdtf", str(tmp_path / "etf"), str(tmp_path / "out")]
    assert main([*command, "--val", "hdtf_Radio1"]) == 0
    write_etf(tmp_path / "etf", "RD_Radio2_000")
    assert main([*command, "--val", "hdtf_Radio2"]) == 2
    assert "speaker hdtf_Radio1 is in split val already" in capsys.readouterr().err
    assert main([*command, "--val", "hdtf_Radio3"]) == 2
    assert "the speakers are hdtf_Radio1, hdtf_Radio2" in capsys.readouterr().err


def test_the_hash_splits_speakers_one_in_ten() -> None:
    people = [Candidate("", f"speaker {k}", "neutral", "", "", lambda: None) for k in range(500)]  # type: ignore[arg-type, return-value]
    splits = [split_of(c, ()) for c in people]
    assert splits == [split_of(c, ()) for c in people]
    assert 30 <= splits.count("val") <= 70 and splits.count("val") + splits.count("train") == 500


@pytest.mark.parametrize("kind", ["beat", "3d-etf-ravdess", "3d-etf-hdtf", "vocaset", "livelink", "folder"])
def test_an_unusable_source_is_one_line(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    for src in ("empty", "absent"):
        assert main(["data", "import", kind, str(tmp_path / src), str(tmp_path / "out")]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "out").exists()
