"""Chapter: performance, spectra and the published measures; measurements of one's own belong here too."""
