"""What a student in the making is asked, and what its answers cost: guidance, noise, and who decides which part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from tiny_crops import SIZES, B, T, crops, teacher  # noqa: E402
from torch import Tensor  # noqa: E402

from dtalker_model.blendshapes import INDEX, UPPER_FACE  # noqa: E402
from dtalker_model.networks.diffusion import diffuse  # noqa: E402
from training.corpus.batches import Batch, joined  # noqa: E402
from training.corpus.lip_targets import CLOSED, OPEN  # noqa: E402
from training.networks.distilled import ARTICULATION, SPOKEN, Distilled, DistilledConfig  # noqa: E402

JAW = INDEX["jawOpen"]
STEPS = 8


def student(**config: Any) -> Distilled:
    """The first round's, untrained, in evaluation mode."""
    made = Distilled(DistilledConfig(student=SIZES, **config), teacher(), teacher(), STEPS)
    return made.eval()


def taught(made: Distilled, answer: Callable[[Tensor], Tensor], patch: pytest.MonkeyPatch) -> list[tuple[Tensor, ...]]:
    """Let the teacher say `answer`; noisy motion, level, steps and articulation of each question."""
    asked = []

    def guided(p: Tensor, audio: Tensor, noisy: Tensor, *rest: Tensor) -> Tensor:
        asked.append((noisy, *rest))
        return answer(noisy)

    patch.setattr(made._frozen[1], "guided", guided)
    return asked


def says(made: Distilled, answer: Callable[[Tensor], Tensor], patch: pytest.MonkeyPatch) -> None:
    """Let the student say `answer` of the noisy motion."""
    patch.setattr(made, "guided", lambda p, audio, noisy, *rest: answer(noisy).requires_grad_())


def both() -> Batch:
    return joined(crops(), crops())


def test_it_starts_from_its_teachers_motion_and_colour() -> None:
    made, large = student(), teacher()
    for name in ("motion_mean", "motion_scale"):
        torch.testing.assert_close(getattr(made.student, name), getattr(large, name))
    torch.testing.assert_close(made.student.colour.taps, large.colour.taps)
    torch.testing.assert_close(made.student.decoder.state_dict(), large.decoder.state_dict())
    assert (made.student.colour.taps[:, -2] > made.student.colour.taps[:, -1]).all(), "it is not the default"


def test_a_share_of_the_crops_is_led_by_an_articulation_even_in_its_logarithm() -> None:
    made = student(articulated=0.4)
    dice = torch.tensor([[0.3999, 0.0], [0.3999, 0.5], [0.0, 1.0], [0.4, 0.0], [0.9, 1.0]])
    least, greatest = ARTICULATION
    torch.testing.assert_close(made._articulation(dice), torch.tensor([least, 1.0, greatest, 1.0, 1.0]))


def test_teacher_and_student_are_asked_with_the_same_articulation(monkeypatch: pytest.MonkeyPatch) -> None:
    made, seen = student(articulated=1.0), crops()
    asked = taught(made, torch.zeros_like, monkeypatch)
    own = made.guided
    questions: list[tuple[Tensor, ...]] = []

    def guided(p: Tensor, audio: Tensor, *rest: Tensor) -> Tensor:
        questions.append(rest)
        return own(p, audio, *rest)

    monkeypatch.setattr(made, "guided", guided)
    made(seen, seen)
    expected = made._articulation(both().dice[:, 4:])
    assert len(asked) == 2 and len(questions) == 2 and len(set(expected.tolist())) == B
    guess, said = questions
    for question in (*asked, said):
        torch.testing.assert_close(question[-1], expected)
    assert 0 < len(guess[-1]) <= 2 * B, "what is wholly noise needs no guess"
    assert set(guess[-1].tolist()) <= set(expected.tolist())
    assert all(torch.equal(steps, torch.full((2 * B,), 2.0 * STEPS)) for _, _, steps, _ in asked)
    assert all(torch.equal(steps, torch.full_like(steps, float(STEPS))) for _, _, steps, _ in questions)


def test_at_full_noise_all_comes_from_coloured_noise_at_its_temperature(monkeypatch: pytest.MonkeyPatch) -> None:
    made, seen = student(first=1.0), crops()
    asked = taught(made, torch.zeros_like, monkeypatch)
    made(seen, seen)
    colour = made.student.colour
    noise = colour(both().noise, colour.initial_state(2 * B))[0] * made.student.temperature
    torch.testing.assert_close(asked[0][0], noise, atol=1e-5, rtol=1e-4)
    assert torch.equal(asked[0][1], torch.ones(2 * B))


@pytest.mark.parametrize("own", [0.0, 1.0])
def test_the_noise_holds_the_recording_or_its_own_prediction(own: float, monkeypatch: pytest.MonkeyPatch) -> None:
    made, seen = student(first=0.0, own=own), crops()
    asked = taught(made, torch.zeros_like, monkeypatch)
    says(made, lambda noisy: torch.full_like(noisy, 0.25), monkeypatch)
    made(seen, seen)
    batch, colour = both(), made.student.colour
    noise = colour(batch.noise, colour.initial_state(2 * B))[0] * made.student.temperature
    clean = (batch.motion - 0.1) * 2.0 if own == 0 else torch.full_like(batch.motion, 0.25)
    level = asked[0][1]
    assert level.max() <= 1 and len(set(level.tolist())) > 1
    torch.testing.assert_close(asked[0][0], diffuse(clean, noise, level[:, None, None]))


def terms_of(made: Distilled, seen: Batch, error: float, patch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    """What a prediction costs that is off by `error` from the recording, whose teacher says zero."""
    clean = (seen.motion[:1, :1] - 0.1) * 2.0 + error
    taught(made, torch.zeros_like, patch)
    says(made, lambda noisy: clean.expand_as(noisy).clone(), patch)
    return made(seen, seen)


def still(seen: Batch) -> Batch:
    """The crops, each with the first one's first face, held."""
    return replace(seen, motion=seen.motion[:1, :1].expand_as(seen.motion).clone())


def test_recordings_correct_what_is_spoken_and_only_as_it_was_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = still(crops())
    seen.dice[:, 4] = torch.tensor([0.0, 0.3999, 0.4, 1.0])
    terms = terms_of(student(articulated=0.4), seen, 1.0, monkeypatch)
    spoken = float(SPOKEN.mean())
    assert 0 < spoken < 1 and not SPOKEN[UPPER_FACE].any()
    assert terms["reconstruction"].item() == pytest.approx(spoken / 2, rel=1e-4)
    assert terms["velocity"].item() == pytest.approx(0.0, abs=1e-6)


def test_what_the_teacher_samples_above_the_mouth_weighs_less(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = replace(crops(), motion=torch.full((B, T, 52), 0.1))  # rest: zero when normalised
    each = []
    for part in (SPOKEN, 1 - SPOKEN):
        made = student(first=1.0)
        taught(made, torch.zeros_like, monkeypatch)
        says(made, lambda noisy, part=part: part.expand_as(noisy).clone(), monkeypatch)  # type: ignore[misc]
        each.append(made(seen, seen)["distillation"].item())
    spoken = float(SPOKEN.mean())
    assert each[0] == pytest.approx(spoken, rel=1e-4), "at full noise an error is weighed by one"
    assert each[1] == pytest.approx(0.2 * (1 - spoken), rel=1e-4)


@pytest.mark.parametrize(("recorded", "bit"), [(0.0, OPEN), (1.0, OPEN), (1.0, CLOSED)])
def test_lips_are_asked_of_all_but_the_mumbled(recorded: float, bit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half the crops are led by 0.5, half by 2; of recorded faces contact alone is asked."""
    made = student(articulated=1.0)
    made.lips_mm[0, JAW] = 20.0
    seen = still(crops())
    seen = replace(seen, observed=torch.full_like(seen.observed, recorded), lips=torch.full_like(seen.lips, bit))
    seen.motion[..., JAW] = 0.2
    seen.dice[:, 5] = torch.tensor([0.0, 0.0, 1.0, 1.0])
    name, violation_mm, scale = ("lips_open", 1.0, 0.6) if bit == OPEN else ("lips_closed", 3.7, 0.9)
    expected = 0.0 if bit == OPEN and recorded else scale * violation_mm**2 / 2
    assert terms_of(made, seen, 0.0, monkeypatch)[name].item() == pytest.approx(expected, rel=1e-3)


def test_no_term_is_without_a_weight() -> None:
    made, seen = student(), crops()
    assert set(made(seen, seen)) - {"loss"} <= set(made.config.weights.of_terms())


@torch.no_grad()
def test_a_student_speaks_as_it_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    made = student()
    heard, voice, noise = torch.randn(B, T, 128), torch.randn(B, 1, 64), torch.randn(B, T, 52)
    state, one = made.student.initial_state(B, STEPS), torch.ones(B, 1, 1)
    expected = made.student(heard, noise, voice, voice, one, state, STEPS)[0]
    torch.testing.assert_close(made.speak(heard, voice, voice, noise), expected)
