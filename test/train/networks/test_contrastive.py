"""The contrastive personalizer: losses and poolings of known value, retrieval by label and by similarity."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from training.corpus.library import Names  # noqa: E402
from training.networks.personalizer import ContrastivePersonalizer, contrastive_loss, pooled, similarity  # noqa: E402

NAMES = Names(("default", "ann", "bob"), ("neutral", "happy", "sad"))


@pytest.fixture
def personalizer() -> ContrastivePersonalizer:
    torch.manual_seed(0)
    return ContrastivePersonalizer(NAMES, embedding_dim=6, audio_dim=4)


def test_similarity_is_a_cosine_over_the_temperature() -> None:
    audio, library = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.5, 0.0], [0.0, 9.0], [-1.0, 1.0]])
    expected = torch.tensor([[2.0, 0.0, -math.sqrt(2)]])
    torch.testing.assert_close(similarity(audio, library, temperature=0.5), expected)


def test_the_contrastive_loss_has_its_known_value() -> None:
    audio, library = torch.tensor([[2.0, 0.0], [2.0, 0.0]]), torch.eye(2)
    own, other = math.log(1 + math.exp(-4.0)), math.log(1 + math.exp(4.0))  # cosines 1 and 0 over tau = 1/4
    loss = contrastive_loss(audio, library, torch.tensor([0, 1]), temperature=0.25)
    assert loss.item() == pytest.approx((own + other) / 2, rel=1e-5)


def test_unlabelled_clips_cost_nothing_and_still_count() -> None:
    audio, library = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.eye(2)
    both = contrastive_loss(audio, library, torch.tensor([0, 1]), 1.0)
    one = contrastive_loss(audio, library, torch.tensor([0, -1]), 1.0)
    assert one.item() == pytest.approx(both.item() / 2)
    assert contrastive_loss(audio, library, torch.tensor([-1, -1]), 1.0).item() == 0


def test_pooling_sees_only_speech() -> None:
    feature = torch.tensor([[[1.0], [3.0], [100.0]]])
    torch.testing.assert_close(
        pooled(feature, torch.tensor([[1.0, 1.0, 0.0]])), torch.tensor([[2.0, 1.0]]), rtol=1e-4, atol=0
    )
    torch.testing.assert_close(pooled(feature, torch.zeros(1, 3))[0, 0], torch.tensor(104 / 3))


def test_losses_are_those_of_the_similarities(personalizer: ContrastivePersonalizer) -> None:
    audio, speech = torch.randn(5, 7, 4), torch.ones(5, 7)
    labels = torch.tensor([0, 1, 2, 1, 0])
    logits = personalizer.similarities(audio, speech)
    losses = personalizer.losses(audio, speech, labels, labels)
    for name, of in zip(("identity_contrast", "emotion_contrast"), logits):
        torch.testing.assert_close(losses[name], torch.nn.functional.cross_entropy(of, labels))


def test_the_losses_train_libraries_encoders_and_audio(personalizer: ContrastivePersonalizer) -> None:
    audio = torch.randn(2, 7, 4, requires_grad=True)
    labels = torch.tensor([1, 2])
    torch.stack(list(personalizer.losses(audio, torch.ones(2, 7), labels, labels).values())).sum().backward()
    assert audio.grad is not None and audio.grad.abs().sum() > 0
    for name, parameter in personalizer.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_retrieval_by_label_is_a_look_up(personalizer: ContrastivePersonalizer) -> None:
    i, e = personalizer.retrieve_labelled(torch.tensor([2]), torch.tensor([1]), torch.tensor([1.5]))
    library = personalizer.library
    torch.testing.assert_close(i[0], library.identity[2])
    torch.testing.assert_close(e[0], library.neutral + 1.5 * library.emotion_offset[1])


def test_retrieval_by_similarity_weighs_the_entries(personalizer: ContrastivePersonalizer) -> None:
    audio, speech = torch.randn(3, 7, 4), torch.ones(3, 7)
    identity, emotion = personalizer.similarities(audio, speech)
    i, e = personalizer.retrieve(audio, speech)
    identities, emotions = personalizer.library.tables()
    torch.testing.assert_close(i, torch.softmax(identity, -1) @ identities)
    torch.testing.assert_close(e, torch.softmax(emotion, -1) @ emotions)
    i, e = personalizer.retrieve(audio, speech, nearest=True)
    torch.testing.assert_close(i, identities[identity.argmax(-1)])
    torch.testing.assert_close(e, emotions[emotion.argmax(-1)])
