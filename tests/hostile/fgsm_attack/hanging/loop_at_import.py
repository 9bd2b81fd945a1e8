"""Never ends its import."""

while True:
    pass


def fgsm_attack(image, epsilon, data_grad):
    return image.clone()
