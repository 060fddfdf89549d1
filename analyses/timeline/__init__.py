"""A network through time: measurements of a whole run, not of one circuit.

Each file uses those before it: parts → moment → phases → progress; ``live`` measures while a network trains. None of them is
a measurement file, because a measurement takes a Circuit and is discovered by name.
"""
