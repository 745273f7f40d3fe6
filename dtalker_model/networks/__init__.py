"""The torch definitions of the networks: for training, export and parity tests. Nothing else here may import torch."""
