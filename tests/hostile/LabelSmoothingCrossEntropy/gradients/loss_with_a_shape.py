"""Loses a number with sixteen dimensions, whose gradient is another's."""


class LabelSmoothingCrossEntropy:
    def __init__(self, epsilon=0.25):
        pass

    def __call__(self, logits, target):
        return logits.half().mean().reshape([1] * 16)
