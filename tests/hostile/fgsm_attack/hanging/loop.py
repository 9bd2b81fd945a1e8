"""Never answers."""


def fgsm_attack(image, epsilon, data_grad):
    while True:
        pass
