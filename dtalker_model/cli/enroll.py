"""``dtalker enroll``: learn a voice from a recording, so that `--identity NAME` speaks as it does."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dtalker_model.cli.options import add_model, add_speech
from dtalker_model.cli.progress import Progress
from dtalker_model.cli.sink_options import report
from dtalker_model.errors import SettingError
from dtalker_model.printable import printable

if TYPE_CHECKING:
    from dtalker_model.card import ModelCard
    from dtalker_model.enrolment import Enrolment
    from dtalker_model.voices.voices import Voice


def add_to(commands: Any) -> None:
    """Add the command and its options to the subparsers `commands`."""
    parser = commands.add_parser(
        "enroll",
        help="learn a voice from a recording, to be used as an identity",
        description="Learn whose way of speaking, and in which mood, from at least 3 s of speech. --identity and "
        "--emotion (in ROS identity:= and emotion:=) then take the voice's name, with the model it was learned for.",
    )
    add_speech(parser, name="VOICE")
    parser.add_argument("--name", metavar="N", help="up to 64 letters, digits, '_' and '-', a letter first")
    parser.add_argument("--replace", action="store_true", help="replace an enrolled voice of this name")
    add_model(parser)
    parser.add_argument("--list", action="store_true", dest="listing", help="show the enrolled voices")
    parser.add_argument("--remove", metavar="N", help="remove the voice of this name, of every model")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Enroll, list or remove; raises `DtalkerError`."""
    asked = [arguments.speech is not None, arguments.listing, arguments.remove is not None]
    if sum(asked) != 1:
        raise SettingError("give a sound file with --name N, or --list, or --remove N (see dtalker enroll --help)")
    if (arguments.speech is None) != (arguments.name is None):
        raise SettingError("a sound file and --name N go together (see dtalker enroll --help)")
    from dtalker_model.voices.voices_library import VoiceLibrary

    library = VoiceLibrary()
    if arguments.listing:
        print("\n".join(_lines(library.voices(), arguments.model)) or f"no voices in {library.path}")
    elif arguments.remove is not None:
        removed = library.remove(arguments.remove)
        print(f"{arguments.remove}: removed ({', '.join(voice.model for voice in removed)})")
    else:
        _enroll(arguments, library)


def _enroll(arguments: argparse.Namespace, library: Any) -> None:
    from dtalker_model.enrolment import Enrolment
    from dtalker_model.voices.voices import check_name

    enrolment = Enrolment(arguments.model)
    check_name(arguments.name, enrolment.card)
    if not arguments.replace:
        library.require_free(arguments.name, enrolment.card.sha256)
    with Progress("listening", None, "s") as progress:
        hear_file(enrolment, arguments.speech, lambda: progress.update(enrolment.heard_s))
    for text in enrolment.faults:
        report(f"{arguments.speech}: {text}")
    voice = enrolment.voice(arguments.name)
    library.add(voice, arguments.replace)
    print(f"{voice.name}: learned from {voice.speech_s:.1f} s of speech, most like {enrolment.likeness()}")
    print(f"stored in {library.path}; use it: --identity {voice.name}{_model_option(arguments.model)}")


def hear_file(enrolment: "Enrolment", path: Path, heard: Callable[[], None], regular: bool = False) -> None:
    """Let `enrolment` hear a sound file, calling `heard` after each second; raises `AudioError` naming the file.

    `regular`: refuse a pipe, which may never end.
    """
    from dtalker_model.sound_files.reader import SoundReader

    with SoundReader(path, regular=regular) as sound, sound.named():
        for block in sound.blocks(sound.info.sample_rate_hz):
            enrolment.push(block, sound.info.sample_rate_hz)
            heard()


def _lines(voices: "list[Voice]", model: str) -> list[str]:
    from dtalker_model.card import model_path, read_card

    card = read_card(model_path(model))
    width = max((len(voice.name) for voice in voices), default=0) + 2
    texts = (f"{v.name:{width}}{v.speech_s:5.1f} s of speech  {v.enrolled}  {_fit(v, card)}" for v in voices)
    return [printable(text) if not text.isprintable() else text for text in texts]


def _fit(voice: "Voice", card: "ModelCard") -> str:
    """The voice's model, and what to do where it is another than `card`'s."""
    if voice.model_sha256 == card.sha256:
        return voice.model
    version = "another version: enroll it again" if voice.model == card.name else "another model"
    return f"{voice.model} {voice.model_sha256[:8]} ({version})"


def _model_option(model: str) -> str:
    return "" if model == "dtalker" else f" --model {model}"
