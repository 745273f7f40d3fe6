"""Model files and finished runs, opened as what the evaluation measures; each engine of training brings its own."""
