"""What comes in: PCM of any kind to 16 kHz, log-mel features, and whether somebody speaks."""
