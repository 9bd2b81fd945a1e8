"""All pairs of a positive and a negative in one matrix; nothing is held constant."""

from torch import Tensor, nn


class CircleLoss(nn.Module):
    def __init__(self, m: float, gamma: float) -> None:
        super().__init__()
        self.gamma = gamma
        self.o_p, self.o_n, self.delta_p, self.delta_n = 1 + m, -m, 1 - m, m

    def forward(self, sp: Tensor, sn: Tensor) -> Tensor:
        push = nn.functional.relu(sn - self.o_n) * (sn - self.delta_n)
        pull = nn.functional.relu(self.o_p - sp) * (self.delta_p - sp)
        pairs = self.gamma * (push.unsqueeze(1) + pull.unsqueeze(0))
        return nn.functional.softplus(pairs.flatten().logsumexp(dim=0))
