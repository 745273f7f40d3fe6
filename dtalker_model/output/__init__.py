"""What leaves: the output stage, which rests the mouth, blinks, idles, scales, smooths and clamps."""
