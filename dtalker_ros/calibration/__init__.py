"""From a camera before a head to the head's map: its joints moved one by one, what they do to the face, the fit."""
