"""Options that several commands have: the speech, the model, and the fields of `Settings`, there and back."""

import argparse
from pathlib import Path
from typing import Any

from dtalker_model.errors import SettingError
from dtalker_model.settings import Settings, SettingSpec, setting_specs

SOUND_FILE = "sound file: WAV, FLAC, OGG, MP3, ...; - reads a pipe"


def add_speech(
    parser: argparse.ArgumentParser, text: str = SOUND_FILE, needed: bool = False, name: str = "SPEECH"
) -> None:
    """The sound file that is given by its place; ``speech`` is a `Path`, or None where it is not `needed`."""
    parser.add_argument("speech", nargs=None if needed else "?", metavar=name, type=Path, help=text)


def add_model(parser: argparse.ArgumentParser) -> None:
    """The option ``--model``."""
    parser.add_argument("--model", default="dtalker", metavar="M", help="name of a shipped model, or path of an .onnx")


def add_settings(parser: argparse.ArgumentParser) -> None:
    """One option for each setting, with its own text, range and default."""
    group = parser.add_argument_group("settings")
    for spec in setting_specs():
        flag = "--" + spec.name.replace("_", "-")
        text = _help(spec)
        if spec.kind is bool:
            group.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=text)
        elif spec.kind is dict:
            flag = flag.removesuffix("s")  # --gains is --gain NAME=X, once for each name
            group.add_argument(flag, dest=spec.name, action="append", metavar="NAME=X", help=text)
        else:
            metavar = {str: "NAME", int: "N", float: "X"}[spec.kind]
            group.add_argument(flag, type=spec.kind, metavar=metavar, help=text)


def settings_from(arguments: argparse.Namespace) -> Settings:
    """The settings that were asked for; raises `SettingError`."""
    changes: dict[str, Any] = {}
    for spec in setting_specs():
        value = getattr(arguments, spec.name)
        if value is not None:
            changes[spec.name] = _pairs(spec.name, value) if spec.kind is dict else value
    if changes.get("emotion_weights") and changes.setdefault("emotion", "mix") != "mix":
        raise SettingError(f"emotion_weights: needs --emotion mix, received --emotion {changes['emotion']}")
    return Settings(**changes)


def _help(spec: SettingSpec) -> str:
    unit = f" {spec.unit}" if spec.unit else ""
    span = f"{spec.range[0]:g} to {spec.range[1]:.10g}{unit}" if spec.range else ""
    if spec.kind is dict:
        return f"{spec.doc} {span}; may be repeated, or separated by commas."
    default = ("on" if spec.default else "off") if spec.kind is bool else f"{spec.default}"
    return f"{spec.doc} ({', '.join(filter(None, [span, f'default {default}']))})"


def _pairs(name: str, values: list[str]) -> dict[str, float]:
    """``["a=1,b=2", "c=3"]`` as a mapping."""
    pairs: dict[str, float] = {}
    for pair in ",".join(values).split(","):
        key, _, number = pair.partition("=")
        try:
            pairs[key.strip()] = float(number)
        except ValueError:
            raise SettingError(f"{name}: expected NAME=NUMBER, received {pair!r}") from None
    return pairs
