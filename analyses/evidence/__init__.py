"""Chapter: where the circuit lives."""
