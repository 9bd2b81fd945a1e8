"""Never answers, whatever is raised in it."""


def fgsm_attack(image, epsilon, data_grad):
    while True:
        try:
            while True:
                pass
        except:
            continue
