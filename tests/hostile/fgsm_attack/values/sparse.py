"""Answers with a sparse tensor."""


def fgsm_attack(image, epsilon, data_grad):
    return image.to_sparse()
