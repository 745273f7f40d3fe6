"""Ears: what audio encoders hear of a clip, frozen pretrained ones among them, computed once before training."""
