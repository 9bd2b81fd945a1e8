"""One perturbation for all images, from the mean gradient of the batch."""


def fgsm_attack(image, epsilon, data_grad):
    sign = data_grad.mean(dim=0).sign()
    return (image + epsilon * sign).clamp(0, 1)
