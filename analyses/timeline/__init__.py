"""A network through time: measurements of a whole run, not of one circuit.

parts → moment → phases → progress; ``live`` measures while a network trains. Not a measurement file beside the others,
because those take a Circuit and are discovered by name.
"""
