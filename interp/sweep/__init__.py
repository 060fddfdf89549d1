"""Sweeps: many units of work at once."""
