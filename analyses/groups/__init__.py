"""Chapter: the representations of the group whose elements a network multiplies."""
