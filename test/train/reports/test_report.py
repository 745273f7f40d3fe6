"""What a report chooses and says, with known values; the pictures themselves are looked at by people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install '.[train]'")

from matplotlib.figure import Figure as Picture
from PIL import Image

from dtalker_model.blendshapes import INDEX
from training.corpus.clips import Clip
from training.corpus.face_basis import FaceBasis
from training.evaluation.bootstrap import Figure
from training.evaluation.metrics import Pair
from training.evaluation.scores import METRICS, Row, entry, mean_row, row
from training.predictors.opening import named_models
from training.reports.clip_picture import APART_S, Shown, closed_frame, marked_frames, save
from training.reports.face_picture import FaceMesh, draw_face, error_mm
from training.reports.figure_tables import by_emotion, markdown, of_source, tables
from training.reports.report import against_recordings, against_ridge, bar, median_clip
from training.reports.report_goals import teacher_goals

PREDICTORS = ("model", "ridge", "recording")
JAW, FUNNEL = INDEX["jawOpen"], INDEX["mouthFunnel"]


def clip(name: str) -> Clip:
    return Clip(Path(), name, "ravdess", "val", "ravdess_09", "happy", f"{name}.flac", 2.0, "CC0")


def jaw_pair(error: float, frames: int = 100) -> Pair:
    recording = np.zeros((frames, 52), np.float32)
    recording[:, JAW] = 0.5
    prediction = recording.copy()
    prediction[:, JAW] += error
    return Pair(recording, prediction, np.ones_like(recording, bool), np.arange(frames) / 50)


def test_the_clip_shown_is_the_median_one() -> None:
    lips_cm = np.zeros((52, 3), np.float32)
    lips_cm[JAW, 1] = 1.0
    pairs = [jaw_pair(e) for e in (0.3, 0.1, 0.2)]
    chosen, pair, error = median_clip([clip("a"), clip("b"), clip("c")], pairs, lips_cm)
    assert chosen.id == "c" and pair is pairs[2] and error == pytest.approx(0.4, rel=1e-4)


def test_marked_frames_are_where_they_should_be_and_apart() -> None:
    pair = jaw_pair(0.0)
    pair.recording[20, JAW], pair.recording[60, JAW], pair.recording[61, FUNNEL] = 0.0, 1.0, 0.9
    pair.recording[80, FUNNEL], pair.prediction[90, JAW] = 0.5, 0.0
    gap_mm, lips_cm = np.zeros(52), np.zeros((52, 3), np.float32)
    gap_mm[JAW], lips_cm[JAW, 1] = 30.0, 1.0
    face = FaceBasis(lips_cm, lips_cm, lips_cm, np.zeros((52, 52)), 1.0, gap_mm)
    pair.prediction[:80] = pair.recording[:80]
    shown = Shown(clip("a"), (("B", 0.38, 0.06),), pair, pair, 0.2, 1.95)
    marks = marked_frames(shown, face)
    # The funnel is strongest at frame 61, but that is next to frame 60.
    assert marks == {"lips nearest at p, b or m": 20, "widest open": 60, "most rounded": 80, "largest lip error": 90}
    assert APART_S > 1 / 50


def test_without_a_bilabial_the_lips_are_nearest_while_the_mouth_moves() -> None:
    gap_mm = np.array([0.0, 0.0, 5.0, 2.0, 6.0, 5.5, 0.0])
    assert closed_frame(gap_mm, np.arange(7) / 50, ()) == ("lips nearest", 3)


def test_vertex_errors_are_in_mm() -> None:
    delta_cm = np.zeros((52, 3, 3), np.float32)
    delta_cm[JAW, 1] = 0.0, -3.0, 4.0
    mesh = FaceMesh(np.zeros((3, 3), np.float32), delta_cm, np.zeros((0, 4), int), np.zeros(68, int))
    rest, dropped = np.zeros(52), np.zeros(52)
    dropped[JAW] = 0.2
    np.testing.assert_allclose(error_mm(mesh, rest, dropped), [0, 10, 0], atol=1e-5)


def test_only_what_faces_the_viewer_is_drawn(tmp_path: Path) -> None:
    square = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float32)
    both = np.array([[0, 1, 2, 3], [3, 2, 1, 0]])
    mesh = FaceMesh(square, np.zeros((52, 4, 3), np.float32), both, np.zeros(68, int))
    picture = Picture()
    axes = picture.subplots()
    draw_face(axes, mesh, np.zeros(52))
    assert len(axes.collections[0].get_paths()) == 1
    save(picture, tmp_path / "face.png")
    with Image.open(tmp_path / "face.png") as written:
        assert written.mode == "P"


def test_rows_name_every_figure_and_say_none_where_it_is_undefined() -> None:
    figures = {"LVE": Figure(np.array([[2.0, 1.0], [6.0, 1.0]]))}
    found = row({"source": "ravdess", "emotion": "all", "predictor": "model"}, 2, figures)
    assert found["LVE"] == 4.0 and found["LVE_low"] == 2.0 and found["LVE_high"] == 6.0
    assert found["closed_1mm"] is None and set(METRICS) <= set(found)
    assert entry("r", float("nan"), (0.1, 0.2)) == {"r": None, "r_low": None, "r_high": None}
    mean = mean_row({"source": "mean", "emotion": "all", "predictor": "model"}, 3, [figures, {}])
    assert mean["LVE"] == 4.0 and mean["EVE"] is None and bar(mean, "EVE") == (0.0, 0.0, 0.0)
    assert bar(found, "LVE") == (4.0, 2.0, 2.0)


def test_tables_have_a_line_for_each_predictor() -> None:
    figures = {"LVE": Figure(np.array([[2.0, 1.0], [6.0, 1.0]]))}
    rows = [row({"source": "grid", "emotion": "all", "predictor": name}, 2, figures) for name in ("model", "ridge")]
    errors, movement = (part.splitlines() for part in of_source(rows, "grid").split("\n\n"))
    assert len(errors) == 5 and "4.00" in errors[2] and "2.00..6.00" in errors[3] and errors[4].startswith("| ridge")
    assert len({len(line) for line in errors}) == 1 and by_emotion(rows) == ""
    assert "amp_jawOpen" in movement[0] and "frechet_upper" in movement[0]
    rows[1]["closed_1mm"] = 0.5
    assert "closed_1mm" in of_source(rows, "grid").split("\n\n")[2], "lips where anyone's are known"
    assert markdown(["a"], [["bb"]]).splitlines() == ["| a  |", "| -- |", "| bb |"]
    rows[0]["LVE"] = 3.0
    assert against_ridge(rows) == "LVE below the ridge map's (positive is better): grid +25%."


def strangers() -> list[Row]:
    """Rows of voices in two conditions, of two models and two groups."""
    shares = {"clean": 0.13, "0 dB": 0.38}
    return [
        {"source": "voices", "emotion": "all", "predictor": who, "condition": condition, "group": group, "voices": 39,
         "clips": 200, "closed_1mm": share, "closed_1mm_low": 0.1, "closed_1mm_high": 0.4, "gap_i": 7.0}
        for condition, share in shares.items() for who in ("model", "teacher") for group in ("all", "children")
    ]  # fmt: skip


def test_the_report_says_how_often_the_lips_meet() -> None:
    rows: list[Row] = [{"source": "mean", "predictor": name, "FDD": 2.0} for name in PREDICTORS]
    said = against_recordings([*rows, *strangers()])
    assert "clean 13%, 0 dB 38%" in said and "moves less than" in said
    assert against_recordings(rows[:1]) == ""


def test_strangers_have_a_table_of_their_own() -> None:
    sampled: Row = {"source": "grid", "predictor": "model", "emotion": "all", "seeds": 16, "clips": 6}
    sampled |= {"calibration_mouth": 0.001, "calibration": {"jawOpen": 0.0012}}
    lines = tables([*strangers(), sampled]).splitlines()
    table = [line for line in lines if line.startswith(("| model", "| teacher"))]
    assert [" children " in line for line in table] == [False] * 4 + [True] * 4 + [False]
    assert "0.10..0.40" in lines[lines.index(table[0]) + 1] and "7.0" in table[0], "intervals below the model's own"
    assert "calibration_upper" in "\n".join(lines) and "## voices" not in lines
    assert "* grid: jawOpen 0.001" in lines and not any(line.startswith("Not measured") for line in lines)
    assert any(line.startswith("Not measured: the corpus has no `voices.jsonl`") for line in tables([]).splitlines())


def test_the_listener_has_a_line_a_source() -> None:
    heard: list[Row] = [
        {"source": "ravdess", "predictor": "listener", "emotion": "all", "clips": 120, "speakers": 2,
         "emotion_accuracy": 0.34, "emotion_accuracy_low": 0.3, "emotion_accuracy_high": 0.4, "identity_EER": 0.0},
        {"source": "voices", "predictor": "listener", "emotion": "all", "clips": 390, "speakers": 39,
         "identity_EER": 0.05, "identity_EER_low": 0.04, "identity_EER_high": 0.06},
    ]  # fmt: skip
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in tables(heard).splitlines() if "|" in line]
    assert ["ravdess", "120", "2", "0.34 (0.30..0.40)", "0.00 (-)"] in lines
    assert ["voices", "390", "39", "-", "0.05 (0.04..0.06)"] in lines


def test_the_goals_of_a_teacher_are_for_quiet_and_for_all_voices() -> None:
    rows = strangers()
    for quiet in rows:
        if quiet["condition"] == "clean" and quiet["group"] == "all":
            quiet["closed_1mm"] = 0.99
    lines = [goal.line for goal in teacher_goals(rows)]
    assert any(line.startswith("* met: voices: closed_1mm 0.990") for line in lines)
    assert any(line.startswith("* not measured: voices: rounding") for line in lines)


def test_models_beside_are_named() -> None:
    assert named_models(["regression=a.onnx", "teacher=b=c.onnx"]) == {"regression": "a.onnx", "teacher": "b=c.onnx"}
    with pytest.raises(ValueError, match="--beside takes NAME=MODEL"):
        named_models(["a.onnx"])
    for taken in (["old=a", "old=b"], ["model=a"]):
        with pytest.raises(ValueError, match="is taken: give another"):
            named_models(taken)
