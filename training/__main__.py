"""``python -m training``: student, listener, export, evaluate, report, data."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from training.data.commands import add_arguments as add_data_arguments
from training.data.commands import run as run_data


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    for name, text in (("student", "train the student"), ("listener", "train the listener, after the student")):
        command = commands.add_parser(name, help=text)
        command.add_argument("run", type=Path, help="folder for weights, configuration and log")
        command.add_argument("--config", type=Path, help="JSON with settings that differ from the defaults")
        if name == "listener":
            command.add_argument("student", type=Path, help="run folder of the student, whose identities it learns")
        command.add_argument("--threads", type=int, default=2, help="threads of torch")
    export = commands.add_parser("export", help="write the .onnx files and the card of a run, after a parity check")
    export.add_argument("run", type=Path)
    export.add_argument("out", type=Path, help="path of the .onnx; its card and listener go beside it")
    export.add_argument("--listener", type=Path, help="run folder of the listener")
    evaluate = commands.add_parser("evaluate", help="validation figures of a model next to the floors")
    evaluate.add_argument("model", help="shipped name, or path of an .onnx")
    evaluate.add_argument("--split", default="val", choices=["train", "val"])
    evaluate.add_argument("--json", action="store_true")
    report = commands.add_parser("report", help="Markdown and pictures of a model's figures on the validation clips")
    report.add_argument("model", help="shipped name, or path of an .onnx")
    report.add_argument("--out", type=Path, required=True, help="folder for README.md and its pictures")
    for command in (evaluate, report):
        other = "another model in rows of its own; repeatable"
        command.add_argument("--beside", action="append", default=[], metavar="NAME=MODEL", help=other)
    data = commands.add_parser("data", help="bring data into the corpus")
    add_data_arguments(data)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 2 for input that cannot be used."""
    args = parser().parse_args(arguments)
    try:
        _run(args)
    except (FileNotFoundError, ValueError) as error:
        print(f"training: {error}", file=sys.stderr)
        return 2
    return 0


def _run(args: argparse.Namespace) -> None:
    if args.command == "data":
        return run_data(args)
    if args.command == "evaluate":
        from training.evaluate import main as evaluate

        return evaluate(args.model, args.split, args.json, args.beside)
    if args.command == "report":
        from training.report import report

        return report(args.model, args.out, args.beside)
    import torch  # the heavy imports come after the arguments were understood

    if args.command == "export":
        from training.release import release

        return release(args.run, args.listener, args.out)
    from training import config, run_listener, run_student

    torch.set_num_threads(args.threads)
    if args.command == "student":
        return run_student.run(config.read(run_student.TrainConfig, args.config), args.run)
    names = run_student.saved_names(args.student)
    return run_listener.run(config.read(run_listener.ListenerTraining, args.config), names, args.run)


if __name__ == "__main__":
    sys.exit(main())
