"""Expressions that others ask for: their messages turned into moods, and cross-faded with what the settings say."""
