"""Voices that users have enrolled: what they are, the file that keeps them, and the user's library."""
