"""Grading: submissions run in processes of their own, and checked in this one."""
