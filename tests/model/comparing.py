"""How two ways of computing one thing are held against each other."""

import torch
from torch import nn


def scramble(module):
    """Gives every batch norm statistics, scale and shift of its own, as training would."""
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            norm.running_mean.normal_(std=0.2)
            norm.running_var.uniform_(0.5, 2)
            with torch.no_grad():
                norm.weight.uniform_(0.5, 1.5)
                norm.bias.normal_(std=0.2)
    return module


def relative(got, expected):
    """The norm of the difference over the norm of what was expected."""
    difference = (got - expected).norm().item()
    return difference / max(expected.norm().item(), 1e-12) if difference else 0.0


def value_and_gradients(function, x, weights):
    """The output, and the gradients at x and at the weights of one random projection of it."""
    x = x.clone().requires_grad_()
    output = function(x)
    generator = torch.Generator().manual_seed(5)
    direction = torch.randn(output.shape, generator=generator, dtype=output.dtype)
    return [output.detach(), *torch.autograd.grad((output * direction).sum(), [x, *weights])]


def assert_same(fast, slow, x, module):
    """Outputs and gradients agree: in float32 within 1e-5, in float64 tensor by tensor within 1e-9.

    Float32 gradients of the weights are compared together: those of single scalars, sums over a map
    that nearly cancel, are rounding noise in both forms.
    """
    got, expected = _both(fast, slow, x, module)
    for mine, theirs in zip(_joined(got), _joined(expected), strict=True):
        assert relative(mine, theirs) <= 1e-5
    module.double()
    got, expected = _both(fast, slow, x.double(), module)
    scale = torch.cat([value.flatten() for value in expected[2:]]).norm().item()
    for mine, theirs in zip(got, expected, strict=True):
        assert (mine - theirs).norm().item() <= 1e-9 * theirs.norm().item() + 1e-12 * scale


def _both(fast, slow, x, module):
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    return value_and_gradients(fast, x, weights), value_and_gradients(slow, x, weights)


def _joined(values):
    return [*values[:2], torch.cat([value.flatten() for value in values[2:]])]
