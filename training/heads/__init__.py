"""Recorded heads: how they turned, in figures, beside what a head model makes of the same voices, and its fit."""
