"""A report on a model, rebuilt by one command: ``python -m training report MODEL --out reports/NAME``.

Markdown with tables, and pictures: a chart of the figures, and for a few validation clips curves and faces. A model is
whatever `training.predictors` opens: a model file, or the folder of a teacher or a student.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from training.corpus.clips import Clip, corpus_folder
from training.corpus.face_basis import load_face_basis
from training.evaluation.baselines import fitted_floors, measured_clips
from training.evaluation.evaluate import SOURCES, evaluate, floor, predicted
from training.evaluation.metrics import Pair, lve
from training.evaluation.predictor import About, Predictor
from training.evaluation.scores import Row
from training.evaluation.spoken_phones import spoken_phones
from training.predictors.opening import named_models, open_beside, open_predictor
from training.reports.clip_picture import DPI, FLOOR, MODEL, RECORDED, Shown, draw_clip, save, shown_part
from training.reports.face_picture import load_face_mesh
from training.reports.figure_tables import tables
from training.reports.mouth_chart import draw_mouths, mouths
from training.reports.report_goals import teacher_goals

SHOWN = (("ravdess", "happy"), ("ravdess", "sad"), ("facegood", "neutral"), ("grid", "neutral"))
"""Source and emotion of the clips shown."""

BARS = {"mean face": "#c9c4bb", "ridge": FLOOR, "regression": "#edae49", "model": MODEL, "one frame late": RECORDED}
CHARTS = {"LVE": "LVE, 1e-5 m2 (lower is better)", "jawOpen": "correlation of jawOpen (higher is better)"}

LIMITS = """## How far these figures reach

* The RAVDESS clips are **acted, with two sentences** ("Kids are talking by the door", "Dogs are sitting by the door").
  The two validation actors, a man and a woman, are in no training clip, but the training actors say the same sentences.
  How well the model copes with other words in a voice that it never heard is not measured here.
* Emotion retrieval is measured on the same two actors, identity verification on them, which is hardly more than telling
  a man from a woman, and on the voices that no model heard: the first ten clips of each, one recording session a voice.
* RAVDESS faces were tracked from video at 30 frames a second, and what rolls, presses or closes the lips was not
  observed: in the recordings themselves the lips come within 1 mm at {recorded_closure} of /p b m/. Each of the two
  sentences has a single one, the /b/ of "by".
* Nobody recorded the faces of the voices that no model heard. What is measured of them is what lips must do at phones,
  which a forced alignment of English places within 10 to 25 ms: not whether the face looks alive.
* GRID's motion was estimated by a face landmarker from one man's video; FACEGOOD is one clip of one woman, mouth and
  jaw alone. Both speakers are in training, with other sentences.
* A coefficient that a source did not observe is the recording's on both sides, in figures and pictures alike.
* Intervals are 95%, by bootstrap over clips (over pieces of 10 s of longer ones). They say how the figures depend on
  the clips, not on the speakers.
"""


def report(
    model: str, out: Path, beside: Sequence[str] = (), chain: Path | None = None, ablation: Path | None = None
) -> None:
    """Write ``README.md``, ``figures.json`` and pictures into the folder `out`.

    Args:
        model: shipped name, path of an ``.onnx``, or folder of a run or of committed weights.
        beside: other models as NAME=MODEL.
        chain: a chain of distillation whose table is a section; measured where it has none yet.
        ablation: the folder of an ablation whose table is a section.

    Raises:
        FileNotFoundError: as `open_predictor`, or the ablation has not been run.
    """
    out.mkdir(parents=True, exist_ok=True)
    sections = more_sections(chain, ablation)
    predictor = open_predictor(model)
    rows = list(evaluate(predictor, beside=open_beside(beside)))
    (out / "figures.json").write_text(json.dumps(rows) + "\n", encoding="utf-8")
    draw_charts(rows, out / "figures.png")
    chart = mouth_section({"model": model, **named_models(beside)}, out)
    clips = [clip_section(predictor, source, emotion, out) for source, emotion in SHOWN]
    command = " ".join(
        [f"python -m training report {model} --out {out.as_posix()}", *(f"--beside {b}" for b in beside)]
    )
    command += "".join(f" --{n} {p.name}" for n, p in (("table", chain), ("ablation", ablation)) if p)
    written = text(predictor.about, command, rows, [chart, *sections], [c for c in clips if c])
    (out / "README.md").write_text(written, encoding="utf-8")


def more_sections(chain: Path | None, ablation: Path | None) -> list[str]:
    """The tables of a chain of distillation and of an ablation, each as a section."""
    from training.reports import ablation_table, table  # torch, which the report on a model file does not need

    found = [f"## From the teacher to one step\n\n{table.text(table.saved(chain))}\n"] if chain else []
    if ablation:
        found.append(
            f"## What each part of the distillation is worth\n\n{ablation_table.text(ablation_table.saved(ablation))}\n"
        )
    return found


def mouth_section(models: Mapping[str, str], out: Path) -> str:
    """Draw the mouth chart, and return the Markdown that shows it; empty where the corpus has no voices.

    Args:
        models: names or paths by the name of their rows.
    """
    faces = mouths({name: open_predictor(model) for name, model in models.items()})
    if not faces:
        return ""
    draw_mouths(faces, load_face_mesh(corpus_folder()), out / "mouths.png")
    return """## Mouths of voices that no model heard

For each phone the median face of all of them in the validation voices: consonants where the lips are nearest, vowels at
their middle. Under p b m the share within 1 mm, under f that with the lip at the teeth; there and under vowels the
median gap.

![mouths](mouths.png)
"""


def clip_section(predictor: Predictor, source: str, emotion: str, out: Path) -> str:
    """Draw the clip whose LVE is the median of its kind, and return the Markdown that shows it; empty for no clip."""
    folder = corpus_folder()
    clips = [c for c in measured_clips(folder, "val", source) if c.emotion == emotion]
    if not clips:
        return ""
    face = load_face_basis(folder)
    clip, pair, error = median_clip(clips, predicted(predictor)(clips), face.lips_cm)
    (ridge,) = floor(fitted_floors(folder, source)["ridge"])([clip])
    name = f"{source}_{emotion}.png"
    shown = Shown(clip, spoken_phones([clip])[0], pair, ridge, *shown_part(clip))
    draw_clip(shown, face, load_face_mesh(folder), out / name)
    said = f', "{clip.text}"' if clip.text else ""
    many = f"the median of {len(clips)} clips" if len(clips) > 1 else "the only clip"
    return f"### {source}, {emotion}{said}\n\n`{clip.id}`, LVE {error:.2f}e-5 m2: {many}.\n\n![{clip.id}]({name})\n"


def median_clip(clips: Sequence[Clip], pairs: Sequence[Pair], lips_cm: np.ndarray) -> tuple[Clip, Pair, float]:
    """The clip with the median lip vertex error (the lower of two), its pair and its error in 1e-5 m2."""
    errors = [lve([p], lips_cm) for p in pairs]
    k = int(np.argsort(errors, kind="stable")[(len(errors) - 1) // 2])
    return clips[k], pairs[k], errors[k]


def draw_charts(rows: Sequence[Row], path: Path) -> None:
    """Bars of LVE and of the jaw's correlation, by source and predictor, with their intervals."""
    figure = Figure(figsize=(9.2, 3.4), dpi=DPI)
    rows = [r for r in rows if "LVE" in r]
    sources = [s for s in (*SOURCES, "mean") if any(r["source"] == s for r in rows)]
    drawn = {p: colour for p, colour in BARS.items() if any(r["predictor"] == p for r in rows)}
    width = 0.8 / len(drawn)
    for axis, (name, title) in zip(figure.subplots(1, len(CHARTS)), CHARTS.items()):
        for k, (predictor, colour) in enumerate(drawn.items()):
            chosen = {
                r["source"]: r for r in rows if r["predictor"] == predictor and r["emotion"] == "all" and name in r
            }
            bars = np.array([bar(chosen[s], name) for s in sources]).T
            at = np.arange(len(sources)) + width * (k - (len(drawn) - 1) / 2)
            axis.bar(at, bars[0], width, color=colour, label=predictor)
            axis.errorbar(at, bars[0], yerr=bars[1:], fmt="none", lw=0.8, ecolor="#55504a")
        axis.set_xticks(range(len(sources)), [s.replace("_", "\n") for s in sources], fontsize=8)
        axis.set_title(title, fontsize=9)
        axis.tick_params(axis="y", labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(fontsize=8, frameon=False)
    save(figure, path)


def bar(row: Row, name: str) -> tuple[float, float, float]:
    """A figure and how far its interval reaches below and above it; zeros where it is not defined."""
    value, low, high = (row[key] for key in (name, f"{name}_low", f"{name}_high"))
    if value is None or low is None:
        return value or 0.0, 0.0, 0.0
    return value, max(value - low, 0.0), max(high - value, 0.0)


def against_ridge(rows: Sequence[Row]) -> str:
    """One sentence: by how much the model's LVE is below the ridge map's, per source."""
    chosen = {(r["source"], r["predictor"]): r["LVE"] for r in rows if r["emotion"] == "all" and "LVE" in r}
    both = [s for s in SOURCES if (s, "ridge") in chosen]
    gains = [f"{s} {100 * (1 - chosen[s, 'model'] / chosen[s, 'ridge']):+.0f}%" for s in both]
    return f"LVE below the ridge map's (positive is better): {', '.join(gains)}."


def against_recordings(rows: Sequence[Row]) -> str:
    """Sentences: how often the lips meet in voices that nobody heard, and how much the upper face moves; empty if
    unknown.
    """
    said = []
    strangers = {r["condition"]: r for r in rows if r.get("group") == "all" and r["predictor"] == "model"}
    if strangers:
        heard = ", ".join(f"{name} {r['closed_1mm']:.0%}" for name, r in strangers.items())
        said.append(f"Lips within 1 mm at /p b m/ of voices that no model heard: {heard}.")
    mean = {r["predictor"]: r for r in rows if r["source"] == "mean"}
    if "recording" in mean and mean["model"]["FDD"] is not None:
        less = "less" if mean["model"]["FDD"] > 0 else "more"
        said.append(f"The upper face moves {less} than the recorded one (FDD).")
    return " ".join(said)


def text(about: About, command: str, rows: Sequence[Row], sections: Sequence[str], clips: Sequence[str]) -> str:
    """The report's Markdown."""
    recorded = [r for r in rows if r["source"] == "ravdess" and r["predictor"] == "recording"]
    closed = next((r["closed_1mm"] for r in recorded if r["closed_1mm"] is not None), None)
    measured = "an unknown share" if closed is None else f"{closed:.0%}"
    steps = f"{about.steps} steps" if about.steps else "no diffusion"
    head = f"""# {about.name}: figures on the validation clips

{about.description} {about.parameters:,} parameters, {steps}, trained from commit `{about.commit}`; sha256 of the
weights `{about.sha256[:16]}`. Made anew by `{command}`; all figures with their intervals are in `figures.json`. LVE,
EVE and FDD are those of the papers; what each figure means stands at the top of `metrics.py`, `dynamics.py`,
`motion_windows.py`, `lips.py` and `sampling.py` in `training/evaluation`. "recording" is the recording against itself;
", live" is a model that infers identity and emotion from the voice.

![figures](figures.png)

{against_ridge(rows)} {against_recordings(rows)}
"""
    legend = """## Clips

Of each kind the clip whose lip vertex error is the median, not the best one. Curves and faces: recording, model, and
the ridge map as a thin line. Colours in the last row say how far the model's vertices are from the recorded ones.
"""
    asked = [goal.line for goal in teacher_goals(rows)] if about.name == "teacher" else []
    goals = ["## What the teacher was asked for\n", *asked, ""] if asked else []
    limits = LIMITS.format(recorded_closure=measured)
    return "\n".join([head, *goals, limits, tables(rows), "", *sections, legend, *clips])
