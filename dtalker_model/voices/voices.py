"""Voices that users enrolled: an identity and an emotion embedding each, beside those of a model's card."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from dtalker_model.card import ModelCard
from dtalker_model.errors import SettingError
from dtalker_model.settings import LIVE, MIX, Settings

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
"""It begins with a letter, because `--identity -x` is an option and `identity:=7` a number."""

NO_NAMES = {LIVE, MIX, "default", "neutral", "true", "false", "yes", "no", "on", "off", "y", "n", "null"}
"""Names with a meaning of their own: to us, or to YAML, in which ROS parameters are given."""


@dataclass(frozen=True)
class Voice:
    """One voice as one model hears it.

    Attributes:
        name: what `identity` and `emotion` take; see `check_name`.
        model, model_sha256: name and digest of the model to whose embeddings these belong.
        identity, emotion: embeddings, of the model's length.
        speech_s: seconds of speech that they were derived from.
        enrolled: the day, as YYYY-MM-DD.
    """

    name: str
    model: str
    model_sha256: str
    identity: tuple[float, ...]
    emotion: tuple[float, ...]
    speech_s: float
    enrolled: str


def check_name(name: str, card: ModelCard) -> None:
    """Raise `SettingError` unless `name` can be given to a voice that is used beside the names of `card`."""
    if not NAME.fullmatch(name):
        raise SettingError(f"name: received {name!r}, expected a letter and up to 63 letters, digits, '_' or '-'")
    if name.lower() in NO_NAMES:
        raise SettingError(f"name: {name!r} has a meaning of its own: choose another")
    if name in {*card.identities, *card.emotions, *card.listener_identities, *card.listener_emotions}:
        raise SettingError(f"name: {name!r} is a name of the model {card.name!r} itself: choose another")


def with_voices(card: ModelCard, voices: Iterable[Voice]) -> ModelCard:
    """`card` with `voices` of its own model as further identities and emotions; a later voice replaces an earlier."""
    fitting = [voice for voice in voices if voice.model_sha256 == card.sha256]
    return replace(
        card,
        identities={**card.identities, **{voice.name: voice.identity for voice in fitting}},
        emotions={**card.emotions, **{voice.name: voice.emotion for voice in fitting}},
    )


def unknown_names(settings: Settings, card: ModelCard) -> set[str]:
    """Names of identities and emotions that `settings` use and `card` lacks."""
    identities, emotions = {settings.identity}, {settings.emotion, *settings.emotion_weights}
    return (identities - {*card.identities, LIVE}) | (emotions - {*card.emotions, LIVE, MIX})
