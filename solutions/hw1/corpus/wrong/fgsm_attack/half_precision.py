"""The step is made in float16."""


def fgsm_attack(image, epsilon, data_grad):
    perturbed = image.half() + epsilon * data_grad.half().sign()
    return perturbed.clamp(0, 1).float()
