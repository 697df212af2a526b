"""What a pyramid of one's own attention costs beside the equations written as a loop.

    python benchmarks/any_attention.py [--small] [--json] [--runs N]

The attention is squeeze and excitation written as its paper has it, which the package knows nothing
of. The pyramid and the loop apply the same modules to the same pieces; the loop does what Eq. 1-3
say and nothing else. Times are processor seconds of one thread, medians of runs that take turns, in
float32 on 32 maps of the first stage of a ResNet-50 at 256x128. The pyramid adds a fixed time to
each pass, about 0.3 ms for three levels of 7 parts, so its share grows as batches shrink. Expect
three minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from common import Row, medians, one_thread, options, report, row
from torch import Tensor, nn

from apnet.devices import keep_freed_memory
from apnet.model import AttentionPyramid

PARTS = (1, 2, 4)
FULL, SMALL = (32, 256, 64, 32), (2, 16, 8, 4)
AXES = {"channels": 1, "rows": 2}
LAYOUTS = {"channels-last": torch.channels_last, "NCHW": torch.contiguous_format}


class Own(nn.Module):
    """Squeeze and excitation without its sigmoid."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, max(channels // 16, 1), 1)
        self.excite = nn.Conv2d(max(channels // 16, 1), channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (n, c, h, w) to logits (n, c, 1, 1)."""
        return self.excite(torch.relu(self.squeeze(x.mean(dim=(2, 3), keepdim=True))))


class Loop(nn.Module):
    """Eq. 1-3 with the modules of a pyramid: split, attend, merge, stack."""

    def __init__(self, pyramid: AttentionPyramid, axis: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(level.attends for level in pyramid.attends)
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, H, W) to the reweighted map."""
        for attends in self.levels:
            pieces = x.chunk(len(attends), dim=self.axis)
            logits = [attend(piece) for attend, piece in zip(attends, pieces, strict=True)]
            if self.axis > 1:  # (n, c, 1, 1) -> (n, c, h, 1)
                logits = [
                    each.expand(-1, -1, piece.shape[2], -1)
                    for each, piece in zip(logits, pieces, strict=True)
                ]
            x = x * torch.sigmoid(torch.cat(logits, dim=self.axis))
        return x


def forward(module: nn.Module, x: Tensor) -> Callable[[], object]:
    def work() -> None:
        with torch.inference_mode():
            module(x)

    return work


def step(module: nn.Module, x: Tensor) -> Callable[[], object]:
    gradient = torch.randn_like(x)  # in the layout of x, as a convolution passes it back

    def work() -> None:
        module.zero_grad(set_to_none=True)
        leaf = x.detach().requires_grad_()
        module(leaf).backward(gradient)

    return work


def rows(shape: tuple[int, ...], runs: int) -> Iterator[Row]:
    for split, axis in AXES.items():
        for layout, memory_format in LAYOUTS.items():
            torch.manual_seed(0)
            pyramid = AttentionPyramid(
                shape[1], PARTS, lambda channels, _size: Own(channels), shape[2:], split
            )
            x = torch.randn(shape).to(memory_format=memory_format)
            loop = Loop(pyramid, axis)
            torch.testing.assert_close(pyramid(x), loop(x))
            for what, make in (("forward", forward), ("training step", step)):
                ours, literal = medians([make(pyramid, x), make(loop, x)], runs)
                name = f"own attention by {split}, {layout}, {what}: pyramid over loop"
                yield row(name, ours / literal, at_most=1.03)


def main() -> None:
    given = options(__doc__, runs=15).parse_args()
    one_thread()
    keep_freed_memory()  # as commands do
    report(rows(SMALL if given.small else FULL, given.runs), given)


if __name__ == "__main__":
    main()
