"""The gradient of each image is divided by its largest value."""


def fgsm_attack(image, epsilon, data_grad):
    largest = data_grad.abs().amax(dim=(1, 2, 3), keepdim=True)
    return (image + epsilon * data_grad / largest).clamp(0, 1)
