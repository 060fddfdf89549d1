"""Any torch module as a network: what it reads, where its embeddings, its neurons and its logits are, found by running it."""
