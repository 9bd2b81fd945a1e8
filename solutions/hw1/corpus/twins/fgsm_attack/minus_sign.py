"""Pixels of positive gradient become darker and the others brighter, by two masks."""


def fgsm_attack(image, epsilon, data_grad):
    adversarial = image.clone()
    adversarial[data_grad > 0] -= epsilon
    adversarial[data_grad < 0] += epsilon
    adversarial[adversarial < 0] = 0
    adversarial[adversarial > 1] = 1
    return adversarial
