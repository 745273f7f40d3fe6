"""Intervals and means over sources with known values."""

from __future__ import annotations

import numpy as np
import pytest

from training.evaluation.bootstrap import Figure, interval, mean_figure


def mean_of(values: np.ndarray) -> Figure:
    return Figure(np.stack([values, np.ones(len(values))], axis=1))


def test_the_interval_of_a_mean_is_its_standard_error() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 400)
    figure = mean_of(values)
    low, high = figure.interval
    assert figure.value == pytest.approx(values.mean())
    standard_error = values.std() / np.sqrt(400)
    assert (high - low) / 2 == pytest.approx(1.96 * standard_error, rel=0.08)
    assert (high + low) / 2 == pytest.approx(values.mean(), abs=0.1 * standard_error + 0.02)


def test_the_same_clips_give_the_same_interval() -> None:
    values = np.arange(10.0)
    assert mean_of(values).interval == mean_of(values).interval
    assert mean_of(np.full(5, 2.0)).interval == (2.0, 2.0)


def test_one_clip_has_no_interval() -> None:
    assert mean_of(np.array([4.0])).value == 4.0
    assert np.isnan(mean_of(np.array([4.0])).interval).all()
    assert np.isnan(mean_of(np.zeros(0)).value)
    assert interval(np.arange(101.0)) == pytest.approx((2.5, 97.5))


def test_sources_weigh_alike_whatever_their_size() -> None:
    many, few = mean_of(np.full(100, 1.0)), mean_of(np.full(2, 3.0))
    assert mean_figure([many, few]) == (2.0, (2.0, 2.0))
    unknown = Figure(np.zeros((3, 2)))
    assert mean_figure([many, unknown])[0] == 1.0
    assert np.isnan(mean_figure([unknown])[0])
    alone, interval_of_alone = mean_figure([mean_of(np.array([4.0])), mean_of(np.array([2.0]))])
    assert alone == 3.0 and np.isnan(interval_of_alone).all(), "no source has an interval"


def test_equal_sources_are_drawn_independently() -> None:
    values = np.random.default_rng(2).normal(size=50)
    low, high = mean_of(values).interval
    _, (low_of_two, high_of_two) = mean_figure([mean_of(values), mean_of(values)])
    assert (high_of_two - low_of_two) == pytest.approx((high - low) / np.sqrt(2), rel=0.1)
