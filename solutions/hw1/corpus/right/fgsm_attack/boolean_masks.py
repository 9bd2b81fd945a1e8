"""Boolean masks pick the pixels that move up and those that move down."""


def fgsm_attack(image, epsilon, data_grad):
    out = image.detach().clone()
    out[data_grad > 0] += epsilon
    out[data_grad < 0] -= epsilon
    out[out > 1] = 1.0
    out[out < 0] = 0.0
    return out
