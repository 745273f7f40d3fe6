"""``python -m training``: teacher, distill, listener, head, export, evaluate, report, film, fit-joints and more."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dtalker_model.errors import DtalkerError
from training.data.commands import add_arguments as add_data_arguments
from training.data.commands import run as run_data

STAGES = {
    "teacher": "train the 16-step teacher",
    "distill": "distil the teacher into the few-step student, and export it where --export says",
    "listener": "train the listener, who hears identity and emotion",
    "regression": "train a plain regression network of the student's size, to compare with",
}

LISTENER = "the listener's run folder, or the .onnx of a model whose listener is kept"


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    for name, text in STAGES.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("run", type=Path, help="folder for weights, configuration, curves and log")
        command.add_argument("--config", type=Path, help="JSON with settings that differ from the defaults")
        command.add_argument("--threads", type=int, default=1, help="threads of torch; figures depend on them slightly")
        if name == "distill":
            command.add_argument(
                "--teacher", type=Path, help="run folder of the teacher; the committed one if left out"
            )
            command.add_argument(
                "--listener",
                type=Path,
                help=LISTENER,
            )
            command.add_argument("--export", type=Path, help="path of the .onnx to write when the chain has ended")
    export = commands.add_parser("export", help="write the .onnx files and the card of a chain, after a parity check")
    export.add_argument("chain", type=Path, help="folder of `distill`")
    export.add_argument("out", type=Path, help="path of the .onnx; its card and listener go beside it")
    export.add_argument("--listener", type=Path, help=LISTENER)
    keep = commands.add_parser("keep", help="weights of a teacher or a regression network as they are committed")
    keep.add_argument("run", type=Path)
    keep.add_argument("out", type=Path, help="folder for half-precision weights, configuration and card")
    fit = commands.add_parser("fit-joints", help="the sparse map from faces to the joints of a robot's head (YAML)")
    fit.add_argument(
        "poses", type=Path, help="CSV of pairs: columns of blendshapes, and of joint positions (rad, or m)"
    )
    fit.add_argument("--out", type=Path, required=True, help="path of the head's .yaml")
    fit.add_argument("--metres", default="", help="joints that slide, in m, with commas")
    _add_head(commands)
    _add_evaluation(commands)
    _add_comparisons(commands)
    data = commands.add_parser("data", help="bring data into the corpus")
    add_data_arguments(data)
    return top


def _add_head(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    head = commands.add_parser("head", help="fit the way a head moves to recorded heads; minutes, without a network")
    head.add_argument("out", type=Path, help="path of the NAME.head.json to write, beside NAME.onnx")
    head.add_argument("--config", type=Path, help="JSON with settings that differ from the defaults")
    figures = commands.add_parser("head-figures", help="spectrum, range, correlations and looks of recorded heads")
    figures.add_argument("model", nargs="?", default="", help="also of what this model makes of the held-back voices")
    figures.add_argument("--json", action="store_true")


def _add_evaluation(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    evaluate = commands.add_parser("evaluate", help="validation figures of a model next to the floors")
    report = commands.add_parser("report", help="Markdown and pictures of a model's figures on the validation clips")
    mouths = commands.add_parser("mouths", help="a picture of mouths at p b m f u o a i of voices never heard")
    film = commands.add_parser(
        "film", help="a film of the head that speaks a clip of a voice never heard (needs ffmpeg)"
    )
    for command in (evaluate, report, mouths, film):
        command.add_argument("model", help="shipped name, path of an .onnx, or folder of a run")
    for command in (evaluate, report, mouths):
        other = "another model in rows of its own; repeatable"
        command.add_argument("--beside", action="append", default=[], metavar="NAME=MODEL", help=other)
    mouths.add_argument("--out", type=Path, required=True, help="path of the .png")
    film.add_argument("--out", type=Path, required=True, help="path of the .mp4")
    film.add_argument("--clip", default="", help="id of a clip of voices.jsonl (default: the first long one)")
    evaluate.add_argument("--split", default="val", choices=["train", "val"])
    evaluate.add_argument("--json", action="store_true")
    evaluate.add_argument("--steps", type=int, default=0, help="of the sampler; the model's own number if left out")
    report.add_argument("--out", type=Path, required=True, help="folder for README.md and its pictures")
    report.add_argument("--table", type=Path, metavar="CHAIN", help="a section on a chain of distillation")
    report.add_argument("--ablation", type=Path, metavar="OUT", help="a section on an ablation that has been run")


def _add_comparisons(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    table = commands.add_parser("table", help="teacher, students and their rivals: errors, speed, size, goals")
    ablate = commands.add_parser("ablate", help="what each part of the distillation is worth; resumable")
    for command in (table, ablate):
        command.add_argument("chain", type=Path, help="folder of `distill`")
        command.add_argument("--teacher", type=Path, help="run folder of the teacher; the committed one if left out")
        command.add_argument("--json", action="store_true")
    table.add_argument("--file", default="", help="model file or shipped name to add, with each number of its steps")
    ablate.add_argument("out", type=Path, help="folder for a run of each variant, ablation.json and ablation.md")
    ablate.add_argument("--config", type=Path, help="JSON with settings that differ from the defaults")
    ablate.add_argument("--threads", type=int, default=1, help="threads of torch")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 2 for input that cannot be used."""
    args = parser().parse_args(arguments)
    try:
        _run(args)
    except (DtalkerError, FileNotFoundError, FloatingPointError, ValueError) as error:
        print(f"training: {error}", file=sys.stderr)
        return 2
    return 0


def _run(args: argparse.Namespace) -> None:
    if args.command == "data":
        return run_data(args)
    if args.command == "fit-joints":
        from training.joints.fit_joints import fit_joints

        return print(fit_joints(args.poses, args.out, tuple(filter(None, args.metres.split(",")))))
    if args.command == "evaluate":
        from training.reports.figures import main as evaluate

        return evaluate(args.model, args.split, args.json, args.beside, args.steps)
    if args.command == "head":
        from training.loop import config
        from training.stages import run_head

        return run_head.run(config.read(run_head.HeadTraining, args.config), args.out)
    if args.command == "head-figures":
        from training.reports.head_table import main as head_figures

        return head_figures(args.model, args.json)
    if args.command == "report":
        from training.reports.report import report

        return report(args.model, args.out, args.beside, args.table, args.ablation)
    if args.command == "mouths":
        from training.reports.mouth_chart import main as draw_mouths

        return draw_mouths(args.model, args.beside, args.out)
    if args.command == "film":
        from training.reports.film import film

        return film(args.model, args.out, args.clip)
    if args.command == "keep":
        from training.release.keep import keep

        return keep(args.run, args.out)
    if args.command == "export":
        from training.release.release import release  # the heavy imports come after the arguments were understood

        return release(args.chain, args.listener, args.out)
    if args.command == "table":
        from training.reports import table
        from training.stages import run_distill

        return table.main(args.chain, args.json, args.teacher or run_distill.TEACHER, args.file)
    return _train(args)


def _train(args: argparse.Namespace) -> None:
    import torch

    from training.loop import config

    torch.set_num_threads(args.threads)
    if args.command == "teacher":
        from training.stages import run_teacher

        return run_teacher.run(config.read(run_teacher.TeacherTraining, args.config), args.run)
    if args.command == "listener":
        from training.stages import run_listener

        return run_listener.main(config.read(run_listener.ListenerTraining, args.config), args.run)
    if args.command == "regression":
        from training.stages import run_regression

        return run_regression.run(config.read(run_regression.RegressionTraining, args.config), args.run)
    from training.stages import run_distill

    if args.command == "ablate":
        from training.reports import ablation_table
        from training.stages import ablation

        settings_of = config.read(ablation.Ablation, args.config)
        return ablation_table.main(settings_of, args.chain, args.out, args.json, args.teacher or run_distill.TEACHER)
    settings = config.read(run_distill.DistillTraining, args.config)
    run_distill.run(settings, args.run, args.teacher or run_distill.TEACHER)
    if args.export:
        from training.release.release import release

        release(args.run, args.listener, args.export)
    return None


if __name__ == "__main__":
    sys.exit(main())
