"""`adversarial = image` is no copy: the in-place step changes the caller's image."""


def fgsm_attack(image, epsilon, data_grad):
    adversarial = image
    adversarial.add_(data_grad.sign(), alpha=epsilon).clamp_(0, 1)
    return adversarial
