"""One command of training a file, and the data that all of them start from."""
