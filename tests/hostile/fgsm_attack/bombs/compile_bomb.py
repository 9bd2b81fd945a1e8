"""Has Python's compiler fold a constant of gigabytes."""


def fgsm_attack(image, epsilon, data_grad):
    eval("'a' * 999999999999")
    return image.clone()
