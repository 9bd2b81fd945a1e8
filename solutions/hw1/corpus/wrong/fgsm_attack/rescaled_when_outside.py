"""Rescales images that leave [0, 1]."""


def fgsm_attack(image, epsilon, data_grad):
    x = image + epsilon * data_grad.sign()
    if x.min() < 0 or x.max() > 1:
        x = (x - x.min()) / (x.max() - x.min())
    return x
