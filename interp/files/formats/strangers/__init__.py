"""Networks of unknown make: roles of tensors by names and shapes, and a reading that is proved by running it.

``roles`` says what each tensor is, ``questions`` (transformers) and ``perceptron`` (networks without attention) what that
leaves open. ``weights`` builds the network under given answers, ``search`` finds answers under which it computes a task,
``decision`` decides between several, and ``proof`` says what was read, how it was proved, and what else would fit.
"""
