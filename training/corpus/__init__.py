"""Clips with audio, phones and motion; how they are spoilt, posed and cut into batches."""
