"""What is wrong with what goes in and out, as long as it is: sentences that say what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dtalker_model.rates import SAMPLE_RATE_HZ

HOLD_SAMPLES = 3 * SAMPLE_RATE_HZ
"""A fault is over when it was not met for so long: nothing clips between two words."""


class Faults:
    """Faults by the time at which each was met last, in 16 kHz samples of the stream."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all; the stream is at sample 0."""
        self._met: dict[str, int] = {}
        self._since = 0

    def restart(self) -> None:
        """The stream begins anew at sample 0; what is wrong now stays so until it is over."""
        self._met = dict.fromkeys(self._met, 0)
        self._since = 0

    def push(self, sample: int) -> None:
        """A push begins at `sample`: what it meets is told after it, however long it is."""
        self._met = {text: at for text, at in self._met.items() if at > sample - HOLD_SAMPLES}
        self._since = sample

    def meet(self, faults: Iterable[str], sample: int) -> None:
        """`faults` were met before `sample`."""
        self._met |= dict.fromkeys(faults, sample)

    def now(self, sample: int) -> tuple[str, ...]:
        """What is wrong at `sample`, met within 3 s or by the newest push; the longest known first."""
        oldest = min(self._since, sample - HOLD_SAMPLES)
        return tuple(text for text, at in self._met.items() if at >= oldest)


class SaidOnce:
    """Says each fault the first time that it is met."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._said: set[str] = set()

    def __call__(self, faults: Iterable[str]) -> None:
        """Say those of `faults` that were not said yet, on one line."""
        fresh = [text for text in faults if text not in self._said]
        if fresh:
            self._said.update(fresh)
            self._say("; ".join(fresh))
