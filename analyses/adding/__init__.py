"""Chapter: watch the network compute."""
