"""Commands: interp-analyze and interp-convert."""
