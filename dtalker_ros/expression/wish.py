"""An expression that a message asks for, as the mood of a model. No ROS in here."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dtalker_model.errors import DtalkerError
from dtalker_model.printable import printable
from dtalker_model.settings import LIVE
from dtalker_model.talker import hears
from dtalker_ros.expression.expression_table import EXPRESSIONS, OTHER_WORDS, mood_at
from dtalker_ros.expression.mood import NEUTRAL, STRONGEST, Mood

LONGEST_NAME = 60


class ExpressionError(DtalkerError):
    """A message that asks for nothing that the face can do; `subject` is what it asked for."""

    def __init__(self, subject: str, reason: str) -> None:
        super().__init__(f"expression {subject!r}: {reason}")
        self.subject = subject


@dataclass(frozen=True)
class Wish:
    """An expression to be shown in place of what the settings say."""

    name: str
    """What was asked for, for people to read."""
    mood: Mood
    share: float = 1.0
    """How much of it is shown, 0 to 1; the rest is what the settings say."""


def is_expression(message: Any) -> bool:
    """Whether `message` has the fields of a `std_msgs/String` or a `hri_msgs/Expression`."""
    spoken = all(hasattr(message, field) for field in ("expression", "valence", "arousal", "confidence"))
    return spoken or isinstance(getattr(message, "data", None), str)


def wish_of(message: Any, card: Any) -> Wish | None:
    """What `message` asks of the model that `card` describes; None: to return to what the settings say.

    A string is ``NAME`` or ``NAME STRENGTH``, 0 to 2, and empty for None. Of a `hri_msgs/Expression` the name counts,
    and where it is empty, valence and arousal; confidence, where it is above 0, is the share that is shown.

    Raises `ExpressionError`.
    """
    if hasattr(message, "expression"):
        return _of_expression(message, card)
    name, strength = _parsed(message.data)
    return Wish(name, mood_named(name, strength, card)) if name else None


def mood_named(name: str, strength: float, card: Any) -> Mood:
    """The mood `name`, `strength` times as strong: an emotion of the model, or a name of the table."""
    if name in card.emotions:
        mood: Mapping[str, float] = {name: 1.0} if name != NEUTRAL else {}
    elif name.lower() == LIVE:
        mood = {LIVE: 1.0}
    else:
        mood = _from_table(name, card)
    return _that_can_be(name, _limited({emotion: strength * part for emotion, part in mood.items()}), card)


def _parsed(text: str) -> tuple[str, float]:
    """Name and strength."""
    words = printable(text, LONGEST_NAME).split()
    if len(words) < 2:
        return " ".join(words), 1.0
    try:
        strength = float(words[-1])
    except ValueError:
        return " ".join(words), 1.0
    if not 0 <= strength <= STRONGEST:
        raise ExpressionError(" ".join(words), f"the strength is 0 to {STRONGEST:g}, as in 'happy 0.7'")
    return " ".join(words[:-1]), strength


def _of_expression(message: Any, card: Any) -> Wish:
    name, confidence = printable(message.expression, LONGEST_NAME), float(message.confidence)
    if not 0 <= confidence <= 1:
        raise ExpressionError(name, f"confidence {confidence:g} is not 0 to 1")
    share = confidence or 1.0  # who says nothing about it leaves the 0 that messages begin with
    if name:
        return Wish(name, mood_named(name, 1.0, card), share)
    valence, arousal = float(message.valence), float(message.arousal)
    if not (abs(valence) <= 1 and abs(arousal) <= 1):
        raise ExpressionError(name, f"valence {valence:g} and arousal {arousal:g} are not -1 to 1")
    name = f"valence {valence:.2f}, arousal {arousal:.2f}"
    return Wish(name, _that_can_be(name, mood_at(valence, arousal), card), share)


def _from_table(name: str, card: Any) -> Mapping[str, float]:
    known = OTHER_WORDS.get(name.lower(), name.lower())
    if known not in EXPRESSIONS:
        names = dict.fromkeys([*card.emotions, *EXPRESSIONS, *([LIVE] if hears(card) else [])])
        raise ExpressionError(name, f"unknown name; known: {', '.join(names)}")
    return EXPRESSIONS[known]


def _limited(mood: Mood) -> Mood:
    """`mood`, weaker where it is stronger than `STRONGEST`."""
    excess = max(sum(mood.values()) / STRONGEST, 1.0)
    return {emotion: strength / excess for emotion, strength in mood.items() if strength > 0}


def _that_can_be(name: str, mood: Mood, card: Any) -> Mood:
    if LIVE in mood and not hears(card):
        raise ExpressionError(name, f"the model {card.name} has no listener: choose an emotion by name")
    lacking = [emotion for emotion in mood if emotion != LIVE and emotion not in card.emotions]
    if lacking:
        offered = ", ".join(card.emotions)
        raise ExpressionError(name, f"the model {card.name} lacks {', '.join(lacking)}; its emotions: {offered}")
    assert not any(math.isnan(strength) for strength in mood.values())
    return mood
