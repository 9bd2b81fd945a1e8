"""Changes the gradients it is given, hoping that they are the judge's own."""


def pgd_attack(image, epsilon, alpha, steps, grad_fn):
    for _ in range(3):
        grad_fn(image).zero_()
    image.zero_()
    return image.clone()
