"""``dtalker info``: what the installed model is, and what it runs on."""

import argparse
import json
from typing import Any

from dtalker_model.cli.options import add_model
from dtalker_model.cli.version import versions

MB = 1e6


def add_to(commands: Any) -> None:
    """Add the command and its options to the subparsers `commands`."""
    parser = commands.add_parser("info", help="show the model card and versions", description=__doc__)
    add_model(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the information; raises `ModelError` for a model that is missing or damaged."""
    facts = model_facts(arguments.model) | {"versions": versions()}
    print(json.dumps(facts, indent=1) if arguments.json else "\n".join(_lines(facts)))


def model_facts(model: str) -> dict[str, Any]:
    """The card without its embeddings, the voices that the user enrolled for it, and the sizes of the files."""
    from dtalker_model.card import model_path, read_card
    from dtalker_model.settings import Settings
    from dtalker_model.voices.voices_library import voices_for

    path = model_path(model)
    card = read_card(path)
    return {
        "name": card.name,
        "description": card.description,
        "model_mb": model_mb(model),
        "params_m": round(card.parameters / 1e6, 3),
        "steps": card.steps,
        "step_counts": list(card.step_counts),
        "lookahead_ms": card.lookahead_ms,
        "frame_rate_hz": card.frame_rate_hz,
        "sample_rate_hz": card.sample_rate_hz,
        "identities": list(card.identities),
        "emotions": list(card.emotions),
        "voices": [voice.name for voice in voices_for(card, Settings())],
        "live": bool(card.listener_sha256),
        "licence": card.licence,
        "training_data": [dict(source) for source in card.training_data],
        "figures": dict(card.figures),
        "sha256": card.sha256,
        "blendshapes": list(card.blendshapes),
    }


def model_mb(model: str) -> float:
    """Size of all files of a model in MB (1e6 bytes): graph, card, and listener where it has one."""
    from dtalker_model.card import card_path, listener_path, model_path

    path = model_path(model)
    files = (path, card_path(path), listener_path(path))
    return round(sum(file.stat().st_size for file in files if file.is_file()) / MB, 3)


def _lines(facts: dict[str, Any]) -> list[str]:
    """The facts for a reader; the figures are a table too long for a line, so that their command stands for them."""
    facts = facts | {"figures": facts["figures"].get("command", "")}
    width = max(map(len, facts)) + 2
    return [f"{name:{width}}{_text(value)}" for name, value in facts.items() if value not in ([], {}, "")]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(entry)}" for key, entry in value.items())
    if isinstance(value, list):
        return ("; " if value and isinstance(value[0], dict) else ", ").join(map(_text, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
