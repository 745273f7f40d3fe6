"""``python -m training data``: its commands. Heavy modules are imported once the arguments are understood."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

ADAPTERS = {
    "beat": "beat.find",
    "3d-etf-ravdess": "etf.find_ravdess",
    "3d-etf-hdtf": "etf.find_hdtf",
    "vocaset": "vocaset.find",
    "livelink": "own.find_livelink",
    "folder": "own.find_folder",
}
"""Kind of source, and the module of `training.data.layouts` and its function that know its layout."""


def add_arguments(data: argparse.ArgumentParser) -> None:
    """The sub-commands of ``data``."""
    commands = data.add_subparsers(dest="data_command", required=True)
    get = commands.add_parser("import", help="turn a public data set or own recordings into clips of the corpus")
    get.add_argument("kind", choices=ADAPTERS, help="file layout; each is documented in training/data/layouts/")
    get.add_argument("src", type=Path)
    get.add_argument("dst", type=Path, help="folder with manifest.jsonl; made, or added to")
    get.add_argument("--val", default="", help="speakers who validate, with commas (default: as published, or a hash)")
    get.add_argument("--identity", default="", help="speaker, where the files do not tell")
    get.add_argument("--emotion", default="neutral", help="emotion, where the files do not tell")
    get.add_argument("--licence", default="own recording", help="of own recordings")
    get.add_argument("--start-s", type=float, default=0.0, help="time of the first motion frame in the audio")
    get.add_argument("--fps", type=float, default=0.0, help="frame rate of motion without times")
    get.add_argument("--basis", type=Path, help="vocaset: npz of a linear face on FLAME's vertices")
    speak = commands.add_parser("speak", help="speak a text file with flite: clips with exact phones, without motion")
    speak.add_argument("text", type=Path, help="one sentence a line")
    speak.add_argument("dst", type=Path, help="folder with manifest.jsonl; made, or added to")
    speak.add_argument("--voices", help="flite's names, with commas (default: slt,rms,awb,kal16)")
    align = commands.add_parser("align", help="find out when each phone of transcribed speech is said")
    align.add_argument("manifest", type=Path, help="manifest.jsonl or its folder; its field `phones` is filled")
    align.add_argument("--source", help="clips of this source alone")
    align.add_argument("--split", help="clips of this split alone")
    align.add_argument("--out", type=Path, help="write JSON lines of id and phones here; the manifest stays as it is")
    align.add_argument("--again", action="store_true", help="also clips that have phones already")
    animate = commands.add_parser("animate", help="synthetic mouth motion for clips with phones and no face")
    animate.add_argument("manifest", type=Path, help="manifest.jsonl or its folder")
    animate.add_argument("--visemes", type=Path, help="JSON that `visemes` made (default: training/visemes.json)")
    animate.add_argument("--emotions", default="", help="also copies with these posed emotions, with commas")
    animate.add_argument("--takes", type=Path, help="folder of silent takes for the upper face of such copies")
    animate.add_argument("--again", action="store_true", help="also clips whose motion is synthetic already")
    visemes = commands.add_parser("visemes", help="fit the visemes of `animate` to the corpus ($DTALKER_CORPUS)")
    visemes.add_argument("out", type=Path, help="JSON to write")
    visemes.add_argument("--sources", default="grid", help="sources to fit to, with commas")
    visemes.add_argument("--phones", type=Path, help="phones that the manifest lacks, from align --out")
    visemes.add_argument("--threads", type=int, default=1, help="threads of torch; the tensors are small")


def run(args: argparse.Namespace) -> None:
    """Run one sub-command. Raises ValueError or FileNotFoundError for input that cannot be used."""
    commands = {"import": _import, "speak": _speak, "align": _align, "animate": _animate, "visemes": _visemes}
    commands[args.data_command](args)


def _import(args: argparse.Namespace) -> None:
    from training.data.importing import import_clips
    from training.data.source import Options

    if not args.src.is_dir():
        raise FileNotFoundError(f"no folder {args.src}")
    module, function = ADAPTERS[args.kind].split(".")
    val = tuple(name for name in args.val.split(",") if name)
    options = Options(val, args.identity, args.emotion, args.licence, args.start_s, args.fps, args.basis)
    candidates = getattr(import_module(f"training.data.layouts.{module}"), function)(args.src, options)
    print(import_clips(candidates, args.kind, args.dst, val))


def _speak(args: argparse.Namespace) -> None:
    from training.data.spoken import VOICES, speak_file

    print(speak_file(args.text, args.dst, args.voices.split(",") if args.voices else VOICES))


def _align(args: argparse.Namespace) -> None:
    from training.data.align import align_manifest

    print(align_manifest(args.manifest, args.source, args.split, args.out, args.again))


def _animate(args: argparse.Namespace) -> None:
    from training.corpus.coarticulation import SHIPPED
    from training.data.animate import Animation, animate_manifest

    emotions = tuple(name for name in args.emotions.split(",") if name)
    print(animate_manifest(args.manifest, Animation(args.visemes or SHIPPED, args.again, emotions, args.takes)))


def _visemes(args: argparse.Namespace) -> None:
    import torch

    from training.data.visemes import fit_visemes

    torch.set_num_threads(args.threads)
    fit_visemes(args.out, args.sources.split(","), args.phones)
