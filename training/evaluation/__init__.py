"""Figures: predictors in, metrics beside floors out."""
