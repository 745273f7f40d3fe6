"""Clips for the corpus: public data sets, own recordings, spoken text, alignment and labelled synthetic motion."""
