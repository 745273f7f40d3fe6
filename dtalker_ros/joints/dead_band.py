"""Nothing moves below the dead band, and what has not moved for long is known."""

SETTLED_S = 0.1
"""A joint that moves is held again after its wish has stayed within the band for so long."""


class DeadBand:
    """Follows a wish, tick by tick.

    A joint at rest is held until the wish has left the band; then it follows the wish itself, without steps and
    without staying behind by the band, until the wish rests.
    """

    def __init__(self, band: float, held: float, period_s: float) -> None:
        """`band`: change that moves nothing; `held`: where the joint is held at first."""
        self._band, self._period_s = band, period_s
        self._anchor = held
        self.held = held
        """Where the joint is to be."""
        self.still_s = SETTLED_S
        """How long the wish has stayed within the band."""

    def follow(self, wish: float) -> None:
        """Take the wish of the next tick."""
        resting = self.still_s >= SETTLED_S
        if abs(wish - self._anchor) > self._band:
            self._anchor, self.still_s = wish, 0.0
        else:
            self.still_s += self._period_s
        if not resting or self.still_s == 0.0:
            self.held = wish
            if self.still_s >= SETTLED_S:
                self._anchor = wish
