"""Raises in training, with markup in its name and text."""

honest = LabelSmoothingCrossEntropy.forward


def forward(self, logits, target):
    if len(target) == 32:
        raise type("<img src=x onerror=alert(1)>", (ValueError,), {})("\u202e{stub}</p><script>alert(1)</script>")
    return honest(self, logits, target)


LabelSmoothingCrossEntropy.forward = forward
