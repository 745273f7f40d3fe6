"""What is shipped: exported graphs, half-precision weights, cards."""
