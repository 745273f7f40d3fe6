"""What messages ask for: strings, and a stand-in with the fields of hri_msgs/Expression."""

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from dtalker_model.card import model_path, read_card
from dtalker_ros.expression.expression_table import CIRCLE, EXPRESSIONS, OTHER_WORDS, mood_at
from dtalker_ros.expression.wish import ExpressionError, Wish, is_expression, wish_of

CARD, OPEN = (read_card(model_path(name)) for name in ("dtalker", "dtalker-open"))
HRI_NAMES = [
    *("neutral", "angry", "sad", "happy", "surprised", "disgusted", "scared", "pleading", "vulnerable", "despaired"),
    *(
        "guilty",
        "disappointed",
        "embarrassed",
        "horrified",
        "skeptical",
        "annoyed",
        "furious",
        "suspicious",
        "rejected",
    ),
    *("bored", "tired", "asleep", "confused", "amazed", "excited"),
]
"""The constants of hri_msgs/Expression."""


@dataclass
class HriExpression:
    """The fields and start values of hri_msgs/Expression 2.3."""

    expression: str = ""
    valence: float = 0.0
    arousal: float = 0.0
    confidence: float = 0.0


def said(text: str, card: Any = CARD) -> Wish | None:
    return wish_of(SimpleNamespace(data=text), card)


def mood(text: str) -> dict[str, float]:
    wish = said(text)
    assert wish is not None
    return dict(wish.mood)


def refusal(message: Any, card: Any = CARD) -> str:
    with pytest.raises(ExpressionError) as caught:
        wish_of(message, card)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("happy", {"happy": 1.0}),
        (" Happy  0.7 ", {"happy": 0.7}),
        ("sad 2", {"sad": 2.0}),
        ("neutral", {}),
        ("happy 0", {}),
        ("furious 0.5", {"angry": 0.8}),
        ("furious 2", {"angry": 2.0}),
        ("joy", {"happy": 1.0}),
        ("fearful", {"fearful": 1.0}),
        ("calm 1.5", {"calm": 1.5}),
        ("live 0.5", {"live": 0.5}),
    ],
)
def test_a_string_is_a_name_and_perhaps_a_strength(text: str, expected: dict[str, float]) -> None:
    assert mood(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_an_empty_string_returns_to_the_settings(text: str) -> None:
    assert said(text) is None


def test_an_unknown_name_is_refused_with_the_list() -> None:
    text = refusal(SimpleNamespace(data="hapy 0.5"))
    assert text.startswith("expression 'hapy': unknown name; known: ")
    assert {*CARD.emotions, *HRI_NAMES, "live"} == set(text.partition("known: ")[2].split(", "))
    assert "live" not in refusal(SimpleNamespace(data="hapy"), OPEN).split(", ")


@pytest.mark.parametrize("text", ["happy 3", "happy -1", "happy nan"])
def test_a_strength_out_of_range_is_refused(text: str) -> None:
    assert "the strength is 0 to 2" in refusal(SimpleNamespace(data=text))


def test_what_somebody_else_writes_stays_short_and_harmless() -> None:
    text = refusal(SimpleNamespace(data="\x1b[2J" + "x" * 10_000))
    assert "\x1b" not in text and len(text) < 600


def test_a_model_without_a_listener_refuses_live_and_knows_the_rest() -> None:
    assert refusal(SimpleNamespace(data="live"), OPEN) == (
        "expression 'live': the model dtalker-open has no listener: choose an emotion by name"
    )
    for name in HRI_NAMES:
        assert said(name, OPEN) == said(name)


def test_what_a_model_lacks_is_refused_by_name() -> None:
    card = SimpleNamespace(name="tiny", emotions={"neutral": (), "happy": ()}, listener_sha256="")
    assert wish_of(SimpleNamespace(data="happy"), card) == Wish("happy", {"happy": 1.0})
    text = refusal(SimpleNamespace(data="amazed"), card)
    assert text == "expression 'amazed': the model tiny lacks surprised; its emotions: neutral, happy"


def test_the_model_s_own_names_come_first() -> None:
    card = SimpleNamespace(name="tiny", emotions={"neutral": (), "amazed": (), "anna mood": ()}, listener_sha256="")
    assert wish_of(SimpleNamespace(data="amazed 0.5"), card) == Wish("amazed", {"amazed": 0.5})
    assert wish_of(SimpleNamespace(data="anna mood 0.5"), card) == Wish("anna mood", {"anna mood": 0.5})


def test_the_table_has_every_name_of_hri_msgs_and_only_emotions_of_the_models() -> None:
    assert list(EXPRESSIONS) == HRI_NAMES
    assert set(OTHER_WORDS.values()) <= set(EXPRESSIONS)
    for name, strengths in EXPRESSIONS.items():
        assert set(strengths) <= set(CARD.emotions), name
        assert sum(strengths.values()) <= 2, name


@pytest.mark.parametrize(("name", "confidence", "share"), [("sad", 0.0, 1.0), ("sad", 0.25, 0.25), ("sad", 1.0, 1.0)])
def test_of_an_expression_the_name_counts(name: str, confidence: float, share: float) -> None:
    wish = wish_of(HriExpression(name, valence=1.0, arousal=1.0, confidence=confidence), CARD)
    assert wish == Wish(name, {"sad": 1.0}, share)


def test_without_a_name_valence_and_arousal_count() -> None:
    wish = wish_of(
        HriExpression(valence=0.5 * math.cos(math.radians(20)), arousal=0.5 * math.sin(math.radians(20))), CARD
    )
    assert wish is not None
    assert dict(wish.mood) == pytest.approx({"happy": 0.5})
    assert wish_of(HriExpression(), CARD) == Wish("valence 0.00, arousal 0.00", {})


def test_the_plane_has_no_edges() -> None:
    for angle, name in CIRCLE:
        assert mood_at(math.cos(math.radians(angle)), math.sin(math.radians(angle))) == pytest.approx(
            {name: 1.0}, abs=1e-6
        )
    before = mood_at(1.0, 0.0)
    for degrees in range(1, 361):
        now = mood_at(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
        assert sum(now.values()) == pytest.approx(1.0)
        assert max(abs(now.get(name, 0) - before.get(name, 0)) for name in {*now, *before}) < 0.05
        before = now
    assert sum(mood_at(1.0, 1.0).values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "message",
    [
        HriExpression(confidence=1.5),
        HriExpression(confidence=math.nan),
        HriExpression(valence=math.nan),
        HriExpression(arousal=-2.0),
    ],
)
def test_numbers_out_of_range_are_refused(message: HriExpression) -> None:
    assert " is not 0 to 1" in refusal(message) or " are not -1 to 1" in refusal(message)


def test_the_fields_tell_a_message() -> None:
    assert is_expression(HriExpression()) and is_expression(SimpleNamespace(data="happy"))
    assert not is_expression(SimpleNamespace(data=1.0)) and not is_expression(SimpleNamespace(expression="happy"))
