"""The gradient of each image is scaled to length 1: that is the L2 attack."""


def fgsm_attack(image, epsilon, data_grad):
    length = data_grad.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)
    return (image + epsilon * data_grad / length).clamp(0, 1)
