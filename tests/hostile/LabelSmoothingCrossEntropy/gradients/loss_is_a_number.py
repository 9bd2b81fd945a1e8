"""Makes losses that are numbers, and no function."""


def LabelSmoothingCrossEntropy(epsilon=0.25):
    return 0.0
