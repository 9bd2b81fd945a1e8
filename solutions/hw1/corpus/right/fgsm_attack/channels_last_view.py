"""Through permuted views, so that the result is not contiguous."""


def fgsm_attack(image, epsilon, data_grad):
    x = image.permute(0, 2, 3, 1)
    g = data_grad.permute(0, 2, 3, 1)
    return (x + epsilon * g.sign()).clamp(0, 1).permute(0, 3, 1, 2)
