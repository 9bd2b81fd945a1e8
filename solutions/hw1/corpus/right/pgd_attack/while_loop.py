"""A while loop, signs by comparison."""


def pgd_attack(image, epsilon, alpha, steps, gradient):
    adversarial = image.detach().clone()
    done = 0
    while done < steps:
        g = gradient(adversarial)
        adversarial = adversarial + alpha * ((g > 0).float() - (g < 0).float())
        too_high = adversarial > image + epsilon
        too_low = adversarial < image - epsilon
        adversarial[too_high] = (image + epsilon)[too_high]
        adversarial[too_low] = (image - epsilon)[too_low]
        adversarial = adversarial.clamp(0, 1)
        done += 1
    return adversarial
