"""What is not skin of the face: brows, eyes, teeth and tongue, the rest of the head, and the colours."""
