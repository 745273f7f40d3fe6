"""Training, evaluation and export of dtalker's networks. Runs from the checkout: ``python -m training --help``."""
