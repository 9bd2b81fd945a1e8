"""The result is rescaled to [0, 1] instead of clamped."""


def fgsm_attack(image, epsilon, data_grad):
    perturbed = image + epsilon * data_grad.sign()
    low, high = perturbed.min(), perturbed.max()
    return (perturbed - low) / (high - low)
