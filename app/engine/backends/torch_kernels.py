"""Kernels for operators whose exported lines do not do: states that move in backward, random streams, speed."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from app.engine.backends.torch_nodes import NodeFacts, Tensor, Tensors, Unseeded
from app.engine.backends.torch_outside import torch_dtype
from app.engine.operators.legacy import VarianceShown
from app.engine.operators.noise import Dropout
from app.engine.operators.normalize import (
    BETA,
    DATA,
    GAMMA,
    MOVING_MEAN,
    MOVING_VAR,
    BatchNormalization,
)
from app.engine.operators.random import RandomExponential, RandomNormal, RandomUniform

Draw = Callable[[Tensor, torch.Generator], Tensor]


class Seeded:
    """What kernels with a random stream on the device have in common."""

    changes: Sequence[int] = ()

    def __init__(self, device: torch.device) -> None:
        self.generator = torch.Generator(device)

    def seed(self, sequence: np.random.SeedSequence) -> None:
        """Start the stream anew."""
        low, high = (int(word) for word in sequence.generate_state(2))
        self.generator.manual_seed((high << 32 | low) & (2**63 - 1))


class FullyConnectedKernel(Unseeded):
    """One product forward, one for each gradient; autograd's way over the transposed weights takes longer."""

    def __init__(self, facts: NodeFacts) -> None:
        self._wanted = facts.wanted
        self._out_shape = facts.out_shapes[0]
        self._width = facts.in_shapes[1][1]
        self._ins: Tensors = ()

    def forward(self, ins: Tensors, train: bool) -> Tensors:
        """Multiply the rows of data with the weights, and add the bias."""
        rows = ins[0].reshape(-1, self._width)
        self._ins = (rows, ins[1], ins[0]) if self._wanted else ()
        weights = ins[1].t()
        out = torch.addmm(ins[2], rows, weights) if len(ins) > 2 else torch.mm(rows, weights)
        return [out.view(self._out_shape)]

    def backward(self, heads: Sequence[Tensor | None]) -> Tensors:
        """Multiply what comes in with weights and with data, and sum it."""
        assert heads[0] is not None
        rows, weights, data = self._ins
        head = heads[0].reshape(len(rows), -1)
        grads = {
            0: lambda: torch.mm(head, weights).view(data.shape),
            1: lambda: torch.mm(head.t(), rows),
            2: lambda: head.sum(0),
        }
        return [grads[number]() for number in self._wanted]


class DropoutKernel(Seeded):
    """Draws the mask on the device; backward applies the mask of the last forward, if that dropped anything."""

    def __init__(self, facts: NodeFacts) -> None:
        super().__init__(facts.device)
        assert isinstance(facts.operator, Dropout)
        self._operator = facts.operator
        self._mask_shape = facts.out_shapes[1]
        self._keep = 1.0 - facts.operator.p
        self._mask: Tensor | None = None

    def forward(self, ins: Tensors, train: bool) -> Tensors:
        """Apply a fresh mask, or hand data through."""
        data = ins[0]
        if not self._operator.drops(train):
            self._mask = None
            return [data]
        factor = 1.0 / self._keep if self._keep else 0.0
        mask = torch.empty(self._mask_shape, dtype=data.dtype, device=data.device)
        self._mask = mask.bernoulli_(self._keep, generator=self.generator).mul_(factor)
        return [data * self._mask]

    def backward(self, heads: Sequence[Tensor | None]) -> Tensors:
        """Apply the mask to the head gradient."""
        head = heads[0]
        assert head is not None
        return [head if self._mask is None else head * self._mask]


class SourceKernel(Seeded):
    """Fills a tensor with random numbers."""

    def __init__(self, facts: NodeFacts, draw: Draw) -> None:
        super().__init__(facts.device)
        self._draw = draw
        self._like = torch.empty(
            facts.out_shapes[0], dtype=torch_dtype(facts.out_types[0]), device=facts.device
        )

    def forward(self, ins: Tensors, train: bool) -> Tensors:
        """Draw."""
        return [self._draw(torch.empty_like(self._like), self.generator)]

    def backward(self, heads: Sequence[Tensor | None]) -> Tensors:
        """There is nothing to differentiate by."""
        return []


def uniform(facts: NodeFacts) -> SourceKernel:
    """Draw between two bounds."""
    own = facts.operator
    assert isinstance(own, RandomUniform)
    return SourceKernel(facts, lambda out, stream: out.uniform_(own.low, own.high, generator=stream))


def normal(facts: NodeFacts) -> SourceKernel:
    """Draw from a normal distribution."""
    own = facts.operator
    assert isinstance(own, RandomNormal)
    return SourceKernel(facts, lambda out, stream: out.normal_(own.loc, own.scale, generator=stream))


def exponential(facts: NodeFacts) -> SourceKernel:
    """Draw waiting times."""
    own = facts.operator
    assert isinstance(own, RandomExponential)
    return SourceKernel(facts, lambda out, stream: out.exponential_(own.lam, generator=stream))


class BatchNormKernel(Unseeded):
    """Torch's batch normalisation; as in MXNet the moving statistics move in backward, and by the biased variance."""

    def __init__(self, facts: NodeFacts) -> None:
        own = facts.operator
        assert isinstance(own, BatchNormalization)
        self._own = own
        self._sets_gamma = own.fix_gamma and GAMMA in facts.outside
        self.changes = [GAMMA] if self._sets_gamma else []
        self.changes += [] if own.use_global_stats else [MOVING_MEAN, MOVING_VAR]
        rank = len(facts.in_shapes[DATA])
        axis = own.channel_axis % rank
        self._swapped = None if axis == 1 else (axis, 1)
        self._wanted = facts.wanted
        self._type = torch_dtype(facts.out_types[0])
        self._shows_variance = isinstance(own, VarianceShown)
        self._minds_mean = isinstance(own, VarianceShown) and own.minds_mean

    def forward(self, ins: Tensors, train: bool) -> Tensors:
        """Normalise by the batch in training, by the moving statistics otherwise; a fixed gamma is set to 1."""
        own = self._own
        if self._sets_gamma:
            ins[GAMMA].data.fill_(1)
        elif own.fix_gamma:
            ins = (ins[DATA], torch.ones_like(ins[GAMMA]), *ins[BETA:])
        data = self._channels_second(ins[DATA]).to(ins[BETA].dtype)
        if train and not own.use_global_stats:
            found = torch.native_batch_norm(data, ins[GAMMA], ins[BETA], None, None, True, 0.0, own.eps)
            out, self._mean, self._inverse = found
        else:
            moving = (ins[MOVING_MEAN], ins[MOVING_VAR])
            out, _, _ = torch.native_batch_norm(data, ins[GAMMA], ins[BETA], *moving, False, 0.0, own.eps)
            self._mean, self._inverse = moving[0].clone(), torch.rsqrt(moving[1] + own.eps)
        self._ins, self._data = ins, data
        shown = [self._channels_second(out).to(self._type)]
        if own.output_mean_var:
            shown += [self._mean, self._variance() if self._shows_variance else self._inverse]
        return shown

    def backward(self, heads: Sequence[Tensor | None]) -> Tensors:
        """Differentiate, then let the moving statistics follow the batch."""
        own, ins = self._own, self._ins
        by_batch = not own.use_global_stats
        grads: dict[int, Tensor] = {}
        if heads[0] is not None:
            head = self._channels_second(heads[0]).to(self._data.dtype)
            mask = [number in self._wanted for number in (DATA, GAMMA, BETA)]
            mask[GAMMA] &= not own.fix_gamma
            found = torch.ops.aten.native_batch_norm_backward(
                head.contiguous(),
                self._data,
                ins[GAMMA],
                ins[MOVING_MEAN],
                ins[MOVING_VAR],
                self._mean,
                self._inverse,
                by_batch,
                own.eps,
                mask,
            )
            grads = dict(enumerate(found))
            if mask[DATA] and by_batch and self._minds_mean:
                grads[DATA] += self._amendment(head, ins[GAMMA])
            if mask[DATA]:
                grads[DATA] = self._channels_second(grads[DATA]).to(self._type)
        if by_batch:
            for old, new in ((ins[MOVING_MEAN], self._mean), (ins[MOVING_VAR], self._variance())):
                old.data.mul_(own.momentum).add_(new, alpha=1.0 - own.momentum)
        return [
            grads[number] if number in grads else torch.zeros_like(ins[number]) for number in self._wanted
        ]

    def _amendment(self, head: Tensor, gamma: Tensor) -> Tensor:
        """Return what the first version adds where the mean is not the batch's own; see VarianceShown."""
        channels, axes = (1, -1, *(1,) * (head.ndim - 2)), [axis for axis in range(head.ndim) if axis != 1]
        inverse = self._inverse.reshape(channels)
        normal = (self._data - self._mean.reshape(channels)) * inverse
        along = (head * normal).mean(axes, keepdim=True) * normal.mean(axes, keepdim=True)
        return along * inverse * gamma.reshape(channels)

    def _variance(self) -> Tensor:
        """Return the biased variance, got back from its inverse root."""
        return self._inverse.square().reciprocal().sub(self._own.eps)

    def _channels_second(self, data: Tensor) -> Tensor:
        """Bring the channels to axis 1, or back."""
        return data if self._swapped is None else data.transpose(*self._swapped)
