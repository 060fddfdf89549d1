"""Networks: what an analysis needs of one, and the kinds that there are."""
