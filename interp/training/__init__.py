"""Training: the loop, its losses and batches, and the run on disk."""
