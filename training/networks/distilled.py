"""A student in the making: its networks, its own library, and the losses of a round (section II.D and eq. 16)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from dtalker_model.blendshapes import ARKIT_NAMES, LOWER_FACE, UPPER_FACE
from dtalker_model.networks.diffusion import diffuse
from dtalker_model.networks.network import MotionDecoder, Student, StudentConfig
from training.corpus.batches import Batch, joined
from training.corpus.library import Library
from training.corpus.phones import PHONES
from training.networks import losses
from training.networks.distillation import Enhancer, alignment, different, distillation, enhancement, halved_target
from training.networks.lips import asked, lips
from training.networks.personalizer import ContrastivePersonalizer
from training.networks.teacher import Teacher, Weights, speech, with_total

ARTICULATION = (0.5, 2.0)
"""Least and greatest guidance by audio that a student learns; drawn evenly in its logarithm."""

SPOKEN = torch.tensor([float(i in LOWER_FACE) for i in range(len(ARKIT_NAMES))])
"""1 for blendshapes that audio decides: recordings correct them. Above, the teacher's samples are the target."""

EMPHASIS = torch.sqrt(SPOKEN + 0.2 * (1 - SPOKEN))
"""Of errors against the teacher: what it samples above the mouth varies most, and would else be all that is learned."""


@dataclass(frozen=True)
class StudentWeights(Weights):
    """Weights of eq. (16), beside those of L_tea.

    Attributes:
        distillation, alignment, enhancement: lambda_3, lambda_4, lambda_5.
    """

    distillation: float = 0.5
    alignment: float = 1.0
    enhancement: float = 0.05


@dataclass(frozen=True)
class DistilledConfig:
    """What a student is made of and how it learns.

    Attributes:
        dropout, recurrent_dropout: on the audio feature, and between the decoder's GRU layers.
        rehearsal: share of crops on which the step counts that it has learned already are kept.
        own: share of crops whose noisy motion is made from the student's own prediction instead of the recording.
        first: share of crops that are denoised at t = T, where all must come from the audio, whatever the round.
        enhanced: crops of different identities and emotions that L_pc compares, at most; M of eq. (14).
        articulated: share of crops with another articulation than 1, drawn from `ARTICULATION`.
        use_identity, use_emotion: without, every crop has the same embedding (for the ablation).
    """

    student: StudentConfig = field(default_factory=StudentConfig)
    weights: StudentWeights = field(default_factory=StudentWeights)
    dropout: float = 0.3
    recurrent_dropout: float = 0.2
    rehearsal: float = 0.3
    own: float = 0.9
    first: float = 0.5
    enhanced: int = 8
    articulated: float = 0.4
    use_identity: bool = True
    use_emotion: bool = True


class Distilled(nn.Module):
    """A student of `steps` steps and its teacher, which is frozen and no part of what is saved."""

    gram: Tensor
    gap: Tensor
    lips_mm: Tensor

    def __init__(self, config: DistilledConfig, large: Teacher, teacher: Teacher | Distilled, steps: int) -> None:
        """Start from the weights of `teacher`, who is `large` itself in the first round.

        Args:
            large: whose audio feature the small encoder is aligned with.
            teacher: of 2 steps for each of the student's.
        """
        super().__init__()
        self.config, self.steps = config, steps
        self._frozen = (large.eval().requires_grad_(False), teacher.eval().requires_grad_(False))
        c = config.student
        self.student = Student(c)
        self.personalizer = ContrastivePersonalizer(teacher.library.names, c.embedding_dim, c.encoder_dim)
        self.enhancer = Enhancer(2 * c.embedding_dim, len(UPPER_FACE))
        self.phone_head = nn.Linear(c.encoder_dim, len(PHONES))
        self.drop = nn.Dropout(config.dropout)
        self.register_buffer("gram", large.gram.clone())
        self.register_buffer("gap", large.gap.clone())
        self.register_buffer("lips_mm", large.lips_mm.clone())
        self._inherit(teacher)

    def _inherit(self, teacher: Teacher | Distilled) -> None:
        if isinstance(teacher, Distilled):
            self.load_state_dict(teacher.state_dict())
        else:
            for name in ("integrator", "decoder"):
                getattr(self.student, name).load_state_dict(getattr(teacher, name).state_dict())
            self.personalizer.load_state_dict(teacher.personalizer.state_dict())
            self.phone_head.load_state_dict(teacher.phone_head.state_dict())
            self.student.motion_mean.copy_(teacher.motion_mean)
            self.student.motion_scale.copy_(teacher.motion_scale)
            self.student.colour.load_state_dict(teacher.colour.state_dict())
        self.student.decoder.regularise(self.config.dropout, self.config.recurrent_dropout)

    @property
    def library(self) -> Library:
        """Embeddings of identities and emotions."""
        return self.personalizer.library

    def encode(self, batch: Batch) -> Tensor:
        """F_a^S (B, T, encoder_dim)."""
        heard = batch.heard[self.student.encoder.hearing]
        return self.student.encoder(heard, self.student.initial_state(len(heard)))[0]

    def personalized(self, batch: Batch) -> Tensor:
        """p (B, T, .) of eq. (7), retrieved by label."""
        B, T, _ = batch.motion.shape
        i, e = self.personalizer.retrieve_labelled(
            batch.identity * self.config.use_identity, batch.emotion, batch.strength * self.config.use_emotion
        )
        return self.student.integrator(i[:, None].expand(B, T, -1), e[:, None].expand(B, T, -1))

    def guided(
        self, p: Tensor, audio: Tensor, noisy: Tensor, level: Tensor, steps: Tensor, articulation: Tensor
    ) -> Tensor:
        """The clean motion (B, T, 52), predicted from noisy motion at `level` (B,) by a fresh decoder."""
        hidden = noisy.new_zeros(len(noisy), MotionDecoder.LAYERS, self.config.student.decoder_dim)
        return self.student.decoder(p, audio, noisy, level, steps, articulation, hidden)[0]

    def forward(self, seen: Batch, heard: Batch) -> dict[str, Tensor]:
        """Terms of the loss (16) with ours, and their weighted sum `loss`."""
        batch = joined(seen, heard)
        audio = self.encode(batch)
        large, teacher = (network.to(audio.device) for network in self._frozen)
        with torch.no_grad():
            aligned_with = large.encode(batch)
            told = aligned_with if teacher is large else teacher.encode(batch)
            p_teacher = teacher.personalized(batch)
        terms = {
            "alignment": alignment(aligned_with, audio),
            "phone": losses.phone(self.phone_head(self.drop(audio)), batch.phones),
            **self.personalizer.losses(audio, speech(batch.heard["log_mel"]), batch.spoken_by, batch.spoken_as),
        }
        if self.steps:
            terms |= self._round(batch, audio, told, p_teacher)
        return with_total(terms, self.config.weights.of_terms())

    def _round(self, batch: Batch, audio: Tensor, told: Tensor, p_teacher: Tensor) -> dict[str, Tensor]:
        teacher = self._frozen[1]
        motion = (batch.motion - self.student.motion_mean) * self.student.motion_scale
        steps = self._step_counts(batch.dice[:, 2])
        level = (1 + torch.floor(batch.dice[:, 0] * steps)) / steps
        level = torch.where(batch.dice[:, 3] < self.config.first, 1.0, level)
        w = self._articulation(batch.dice[:, 4:])
        p = self.personalized(batch)
        colour = self.student.colour
        noise = colour(batch.noise, colour.initial_state(len(motion)))[0] * self.student.temperature
        with torch.no_grad():
            ask = lambda noisy, at, n: teacher.guided(p_teacher, told, noisy, at, n, w)  # noqa: E731
            known = batch.observed * (batch.dice[:, 1] >= self.config.own).float()[:, None, None]
            start, partly = motion.clone(), level < 1
            if partly.any():
                told_now = (x[partly] for x in (p, audio, noise, torch.ones_like(level), steps, w))
                start[partly] = torch.lerp(self.guided(*told_now), motion[partly], known[partly])
            noisy = diffuse(start, noise, level[:, None, None])
            halved = halved_target(lambda x, at: ask(x, at, 2 * steps), noisy, level, steps)
            learning = (steps == self.steps)[:, None, None]
            target = halved if learning.all() else torch.where(learning, halved, ask(noisy, level, steps))
        clean = self.guided(p, audio, noisy, level, steps, w)
        emphasis, as_learned = EMPHASIS.to(w.device), (w == 1).float()
        scored = replace(batch, observed=batch.observed * as_learned[:, None, None] * SPOKEN.to(w.device))
        recorded = batch.observed.amax(dim=(1, 2))
        targets = asked(batch.lips, recorded) * (w >= 1)[:, None].to(batch.lips.dtype)
        return {
            **losses.distances(clean, motion, scored, self.gram, self.gap),
            **lips(clean / self.student.motion_scale + self.student.motion_mean, targets, self.lips_mm),
            "distillation": distillation(clean * emphasis, target * emphasis, level),
            "enhancement": self._enhancement(batch, p_teacher, target, p, clean),
        }

    def _articulation(self, dice: Tensor) -> Tensor:
        """Guidance of each crop, (B,), from two dice (B, 2)."""
        least, greatest = ARTICULATION
        drawn = least * (greatest / least) ** dice[:, 1]
        return torch.where(dice[:, 0] < self.config.articulated, drawn, torch.ones_like(drawn))

    def _step_counts(self, dice: Tensor) -> Tensor:
        """Most crops learn this round's step count; the others rehearse one that is offered and learned already."""
        learned = [n for n in self.config.student.step_counts if n > self.steps]
        if not learned or max(learned) <= self.steps:
            return torch.full_like(dice, float(self.steps))
        which = torch.floor(dice * len(learned) / max(self.config.rehearsal, 1e-6)).long()
        counts = torch.tensor([*learned, self.steps], dtype=dice.dtype, device=dice.device)
        return counts[which.clamp(max=len(learned))]

    def _enhancement(self, batch: Batch, p_teacher: Tensor, told: Tensor, p: Tensor, clean: Tensor) -> Tensor:
        rows = different(batch.identity, batch.emotion, self.config.enhanced)
        views = [(p_teacher[rows, 0], told[rows]), (p[rows, 0], clean[rows])]
        maps = [self.enhancer(embedding, motion[..., UPPER_FACE]) for embedding, motion in views]
        return enhancement(*maps)

    @torch.no_grad()
    def speak(self, heard: Tensor, identity: Tensor, emotion: Tensor, noise: Tensor, steps: int = 0) -> Tensor:
        """As `Teacher.speak`, streaming from a fresh state; steps 0 for this round's."""
        steps = steps or self.steps
        state = self.student.initial_state(len(heard), steps)
        if not self.config.use_identity:
            identity = self.library.identity[0].expand_as(identity)
        if not self.config.use_emotion:
            emotion = self.library.neutral.expand_as(emotion)
        as_learned = noise.new_ones(len(noise), 1, 1)
        return self.student(heard, noise, identity, emotion, as_learned, state, steps)[0]
