"""What the listener learns from: crops of voices, their pitch, and the same words in changed voices."""
