"""Own names inside, torchvision's in state_dict(): hooks translate on the way out and in."""

import re

import torch
from torch import nn

# own name -> torchvision's, as prefixes
NAMES = [
    (r"^stem\.0\.", "conv1."),
    (r"^stem\.1\.", "bn1."),
    (r"^stages\.(\d)\.", lambda match: f"layer{int(match[1]) + 1}."),
    (r"\.branch\.0\.", ".conv1."),
    (r"\.branch\.1\.", ".bn1."),
    (r"\.branch\.3\.", ".conv2."),
    (r"\.branch\.4\.", ".bn2."),
    (r"\.shortcut\.", ".downsample."),
    (r"^head\.", "fc."),
]


def torchvision_name(name):
    for pattern, replacement in NAMES:
        name = re.sub(pattern, replacement, name)
    return name


def rename_out(module, state_dict, prefix, local_metadata):
    for key in list(state_dict):
        state_dict[torchvision_name(key)] = state_dict.pop(key)


def rename_in(module, state_dict, prefix, *args):
    own = [name for name, _ in module.named_parameters()] + [name for name, _ in module.named_buffers()]
    for key in own:
        if torchvision_name(key) in state_dict:
            state_dict[key] = state_dict.pop(torchvision_name(key))


class Block(nn.Module):
    def __init__(self, c_in, c_out, stride, norm, bias):
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(c_in, c_out, 3, stride, 1, bias=bias),
            norm(c_out),
            nn.ReLU(),
            nn.Conv2d(c_out, c_out, 3, 1, 1, bias=bias),
            norm(c_out),
        )
        self.shortcut = nn.Sequential()
        if stride == 2:
            self.shortcut = nn.Sequential(nn.Conv2d(c_in, c_out, 1, 2, bias=bias), norm(c_out))

    def forward(self, x):
        return torch.relu(self.branch(x) + self.shortcut(x))


class ResNet18(nn.Module):
    def __init__(self, num_classes=10, in_channels=3, width=64, batch_norm=True):
        super().__init__()
        norm, bias = (nn.BatchNorm2d, False) if batch_norm else (nn.Identity, True)
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, width, 7, 2, 3, bias=bias), norm(width), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        )
        c = [width, width, 2 * width, 4 * width, 8 * width]
        self.stages = nn.Sequential(
            *(
                nn.Sequential(
                    Block(c[i], c[i + 1], 2 if i else 1, norm, bias), Block(c[i + 1], c[i + 1], 1, norm, bias)
                )
                for i in range(4)
            )
        )
        self.head = nn.Linear(8 * width, num_classes)
        self.register_state_dict_post_hook(rename_out)
        self.register_load_state_dict_pre_hook(rename_in)

    def features(self, x):
        return self.stages(self.stem(x)).mean((-2, -1))

    def forward(self, x):
        return self.head(self.features(x))
