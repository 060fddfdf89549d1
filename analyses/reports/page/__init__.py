"""The page: answers as one HTML file that shows itself without a network, from the question to the evidence."""

from analyses.reports.page.assemble import Subject, page

__all__ = ["Subject", "page"]
