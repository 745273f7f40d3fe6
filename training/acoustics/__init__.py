"""What lies between a mouth and an ear: rooms, noise, microphones and lines, as functions of mono 16 kHz audio."""
