"""Text files and recordings: a row, a line or a message for each frame."""
