"""What the attention pyramids cost beside the network without them, and beside the literal RGA-S.

    python benchmarks/pyramid.py [--small] [--json] [--runs N]

Times are processor seconds of one thread, medians of runs that take turns. Maps are channels-last,
arithmetic is bf16 where the processor multiplies it. Evaluation is measured as the network stands,
and with its batch norms folded into their convolutions, as long jobs run it. Expect ten minutes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from common import Row, medians, one_thread, options, report, row
from torch import Tensor, nn

from apnet.devices import autocast, choose_precision, keep_freed_memory
from apnet.embedding.engines.folded import folded_backend
from apnet.losses import apnet_loss
from apnet.model import APNet, AttentionPyramid, create_network

CPU = torch.device("cpu")
CLASSES = 751


@dataclass(frozen=True)
class Size:
    """How large everything is."""

    batch: int
    channel: tuple[int, int]
    spatial: tuple[int, int]
    nodes: tuple[int, int]
    maps: int


FULL = Size(16, (384, 192), (256, 128), (64, 32), 4)
SMALL = Size(4, (64, 32), (64, 32), (16, 8), 2)


class LiteralRGA(nn.Module):
    """Eq. 4 as it is written: the N x N relations and their transpose, stacked and convolved."""

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        nodes, inner = height * width, channels // 8
        hidden = (1 + nodes // 8) // 8
        self.theta = embedding(channels, inner)
        self.phi = embedding(channels, inner)
        self.g = embedding(channels, inner)
        self.relations = embedding(2 * nodes, nodes // 8)
        self.hidden = embedding(1 + nodes // 8, hidden)
        self.logit = nn.Sequential(nn.Conv2d(hidden, 1, 1, bias=False), nn.BatchNorm2d(1))

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, H, W) to the reweighted map."""
        shape = (len(x), -1, *x.shape[2:])
        graph = self.theta(x).flatten(2).transpose(1, 2) @ self.phi(x).flatten(2)  # (N, M, M)
        stacked = torch.cat((graph.transpose(1, 2).reshape(shape), graph.reshape(shape)), dim=1)
        overview = self.g(x).mean(dim=1, keepdim=True)
        joined = torch.cat((overview, self.relations(stacked)), dim=1)
        return x * torch.sigmoid(self.logit(self.hidden(joined)))


def embedding(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


def network(name: str, image_size: tuple[int, int]) -> APNet:
    torch.manual_seed(0)
    made = create_network(name, image_size=image_size, num_classes=CLASSES)
    return made.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def images(batch: int, size: tuple[int, int]) -> Tensor:
    torch.manual_seed(1)
    return torch.randn(batch, 3, *size).to(memory_format=torch.channels_last)


def evaluation(name: str, batch: int, size: tuple[int, int]) -> Callable[[], object]:
    model, inputs = network(name, size).eval(), images(batch, size)
    precision = choose_precision("auto", CPU)

    def work() -> None:
        with torch.inference_mode(), autocast(precision, CPU):
            model.embed(inputs)

    return work


def training_step(name: str, batch: int, size: tuple[int, int]) -> Callable[[], object]:
    model, inputs = network(name, size).train(), images(batch, size)
    labels = torch.arange(batch) // 4
    precision = choose_precision("auto", CPU)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(weights, lr=4e-4, fused=True)

    def work() -> None:
        with autocast(precision, CPU):
            output = model(inputs)
        loss = apnet_loss(output.pooled, output.logits, labels).total
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return work


def folded(name: str, batch: int, size: tuple[int, int]) -> Callable[[], object]:
    inputs = images(batch, size)
    backend = folded_backend(network(name, size).eval(), size, choose_precision("auto", CPU))
    return lambda: backend.run(inputs)


def overhead_rows(size: Size, runs: int) -> Iterator[Row]:
    kinds = (("c", size.channel, 1.03, 1.06), ("s", size.spatial, 1.25, 1.25))
    for kind, pixels, evaluated, trained in kinds:
        for what, make, limit in (
            ("evaluation", evaluation, evaluated),
            ("folded evaluation", folded, evaluated),
            ("training step", training_step, trained),
        ):
            works = [make(f"apnet-{kind}{levels}", size.batch, pixels) for levels in (0, 2)]
            plain, pyramid = medians(works, runs)
            name = f"apnet-{kind}2 over apnet-{kind}0, {what}"
            yield row(name, pyramid / plain, at_most=limit)


def attention_step(module: nn.Module, x: Tensor) -> Callable[[], object]:
    def work() -> None:
        module.zero_grad(set_to_none=True)
        leaf = x.detach().requires_grad_()
        module(leaf).square().mean().backward()

    return work


def saved_bytes(module: nn.Module, x: Tensor) -> int:
    """Distinct memory that one forward pass keeps for the backward pass, weights left out."""
    weights = {weight.untyped_storage().data_ptr() for weight in module.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        output = module(x.detach().requires_grad_())
    del output
    return sum(kept.values())


def spatial_rows(size: Size, runs: int) -> Iterator[Row]:
    """One attention on the first stage's map, float32: the package's against the literal one."""
    torch.manual_seed(0)
    height, width = size.nodes
    ours = AttentionPyramid(256, (1,), "spatial", size.nodes).to(memory_format=torch.channels_last)
    literal = LiteralRGA(256, height, width)
    x = torch.randn(size.maps, 256, height, width).to(memory_format=torch.channels_last)
    mine, theirs = medians([attention_step(ours, x), attention_step(literal, x)], runs)
    memory = saved_bytes(literal, x) / saved_bytes(ours, x)
    name = "literal RGA-S over ours"
    yield row(f"{name}, training step of one attention", theirs / mine, at_least=8)
    yield row(f"{name}, memory kept for the backward pass", memory, at_least=5)


def main() -> None:
    given = options(__doc__).parse_args()
    one_thread()
    keep_freed_memory()  # as commands do
    size = SMALL if given.small else FULL
    found = itertools.chain(spatial_rows(size, given.runs), overhead_rows(size, given.runs))
    report(found, given)


if __name__ == "__main__":
    main()
