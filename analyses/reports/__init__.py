"""How findings reach a reader: ``answer`` gathers them for one file, ``text`` prints them."""
