"""The networks of training and their losses, in torch; opened again from disk."""
