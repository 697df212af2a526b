"""The whole way from pixels to features as one module, and its capture as a graph."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from apnet.data.transforms import IMAGENET_MEAN, IMAGENET_STD
from apnet.errors import ConfigError
from apnet.exported.torch_file import example_input
from apnet.exporting.plan import GraphPlan
from apnet.files import shortened
from apnet.model import APNet

MOST_IMAGES = 65_536
"""Images of the largest batch that a captured graph takes."""


class EmbeddingGraph(nn.Module):
    """Normalisation, resizing, mirror image, network, and length 1, as a plan says.

    Args:
        network: in evaluation mode, on the CPU; it is copied.
        plan: what the graph contains.
    """

    def __init__(self, network: APNet, plan: GraphPlan) -> None:
        super().__init__()
        plain = copy.deepcopy(network).to(memory_format=torch.contiguous_format)
        self.network = plain.half() if plan.precision == "float16" else plain
        self.plan = plan
        deviation = torch.tensor(IMAGENET_STD)[:, None, None]
        self.scale = nn.Buffer(1 / (255 * deviation))  # (3, 1, 1)
        self.shift = nn.Buffer(torch.tensor(IMAGENET_MEAN)[:, None, None] / deviation)
        (height, width), (inner_height, inner_width) = plan.input_size, plan.image_size
        self.rows = nn.Buffer(_resizing(height, inner_height).T.contiguous())  # (inner H, H)
        self.columns = nn.Buffer(_resizing(width, inner_width))  # (W, inner W)

    def forward(self, images: Tensor) -> Tensor:
        """Maps the input, see ``plan.pixels``, to (N, D) float32; of length 1 with the mirror."""
        x = self._normalised(images)  # (N, 3, *image_size)
        if self.plan.precision == "float16":
            x = x.half()
        if not self.plan.flip:
            return self.network.embed(x).float()
        both = self.network.embed(torch.cat((x, x.flip(3)))).float()  # (2 N, D)
        return functional.normalize(both.reshape(2, -1, both.shape[1]).sum(0))

    def _normalised(self, images: Tensor) -> Tensor:
        if self.plan.pixels == "normalised" and not self.plan.resizes:
            return images
        x = self._pixels(images)
        if self.plan.resizes:  # rounded after each axis, as resizing of uint8 images does
            x = _rounded(self.rows @ _rounded(x @ self.columns))
        return x * self.scale - self.shift

    def _pixels(self, images: Tensor) -> Tensor:
        """Returns (N, 3, *input_size) from 0 to 255."""
        if self.plan.pixels == "uint8":
            return images.float().permute(0, 3, 1, 2)  # (N, H, W, 3) -> (N, 3, H, W)
        if self.plan.pixels == "unit":
            return images * 255
        return _rounded((images + self.shift) / self.scale)  # whole, up to float32's rounding


def _rounded(x: Tensor) -> Tensor:
    """Rounds to whole numbers, halves up; sizes that differ by a factor of 2 give many halves."""
    return (x + 0.5).floor()


def _resizing(before: int, after: int) -> Tensor:
    """Returns the (before, after) matrix of bilinear resizing with antialiasing along one axis."""
    unit = torch.eye(before)[None, None]
    return functional.interpolate(unit, (before, after), mode="bilinear", antialias=True)[0, 0]


def captured(network: APNet, plan: GraphPlan) -> torch.export.ExportedProgram:
    """Captures a network with all that a plan asks for, for any number of images.

    Raises:
        ConfigError: the network cannot be captured as a graph.
    """
    graph = EmbeddingGraph(network, plan).eval()
    example = example_input(plan.pixels, plan.input_size)
    batch = torch.export.Dim("batch", min=1, max=MOST_IMAGES)
    try:
        with torch.no_grad():
            program = torch.export.export(graph, (example,), dynamic_shapes=({0: batch},))
    except Exception as error:  # whatever the capture, or somebody's network, raises
        raise ConfigError(
            f"the network cannot be captured as a graph for any number of images "
            f"({shortened(' '.join(str(error).split()), 240)}); export one made of built-in parts, "
            "or rewrite the named operation"
        ) from error
    _forget_origins(program)
    return program


def _forget_origins(program: torch.export.ExportedProgram) -> None:
    """Removes the places in source files, which name folders of this machine."""
    for part in program.graph_module.modules():
        if isinstance(part, torch.fx.GraphModule):
            for node in part.graph.nodes:
                node.meta.pop("stack_trace", None)
