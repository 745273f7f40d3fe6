"""What comes in: audio messages of every kind, found on a topic and turned into one `AudioChunk`."""
