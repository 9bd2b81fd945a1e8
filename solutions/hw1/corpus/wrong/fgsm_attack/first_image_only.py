"""Only the first image of the batch is attacked."""


def fgsm_attack(image, epsilon, data_grad):
    adversarial = image.clone()
    adversarial[0] = (image[0] + epsilon * data_grad[0].sign()).clamp(0, 1)
    return adversarial
