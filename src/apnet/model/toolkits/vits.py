"""Vision transformers as TransReID, PersonViT and CLIP-ReID arrange them, of timm's blocks."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from apnet.model.network import APNet, Head
from apnet.model.stages import MapLayout, Stage
from apnet.model.toolkits.heads import PooledBranch, ProjectedHead
from apnet.model.toolkits.layers import Renormalise

_PATCH = 16
_HALF = (0.5, 0.5, 0.5)
_STAGES = 4
_PROJECTION = 512
_PARTS = 4
_PART_WEIGHT = 0.25
_SHIFT, _GROUPS = 5, 2


@dataclass(frozen=True)
class ViTPlan:
    """How a vision transformer and its heads are built."""

    width: int = 768
    """Numbers per token."""

    heads: int = 12
    """Of each attention."""

    blocks: int = 12
    """Transformer blocks."""

    stride: int = 16
    """Pixels between patches of 16; fewer make them overlap."""

    camera: float = 0.0
    """What the cameras' embedding is multiplied by; 0: there is none (TransReID's SIE)."""

    jigsaw: bool = False
    """Whether four shuffled groups of patches have features of their own (TransReID's JPM)."""

    clip: bool = False
    """Whether it is CLIP's: a norm before the blocks, a faster GELU, a projection at the end."""


def planned_vit(plan: ViTPlan, image_size: tuple[int, int], *, num_classes: int = 0) -> APNet:
    """Builds a vision transformer; its embedding is taken before the BN necks.

    Args:
        plan: how.
        image_size: H and W in pixels.
        num_classes: training identities; 0 builds no classifier.
    """
    height, width = ((length - _PATCH) // plan.stride + 1 for length in image_size)
    trunk = OrderedDict[str, nn.Module](
        input=Renormalise(_HALF, _HALF), tokens=ImageTokens(plan, (height, width))
    )
    layout = MapLayout("NLC", 1, (height, width))
    blocks = [_block(plan) for _ in range(plan.blocks)]
    later = [blocks.pop(), _block(plan)] if plan.jigsaw else []
    length = plan.blocks // _STAGES
    for number in range(_STAGES):
        body = nn.Sequential(*blocks[number * length : (number + 1) * length])
        name = f"quarter{number + 1}"
        trunk[name] = Stage(name, body, plan.width, plan.stride, layout)
    if plan.jigsaw:
        pool: nn.Module = JigsawPool(plan, *later)
        heads: list[nn.Module] = [Head(plan.width, num_classes)]
        heads += [
            ProjectedHead(nn.Identity(), plan.width, num_classes, weight=_PART_WEIGHT)
            for _ in range(_PARTS)
        ]
    else:
        pool = ClassToken(plan)
        heads = [Head(width, num_classes) for width in pool.widths]
    return APNet(nn.Sequential(trunk), [PooledBranch(pool, heads)], "pooled")


class ImageTokens(nn.Module):
    """Patches as tokens behind a class token, with their positions.

    Args:
        plan: of the network.
        grid: rows and columns of patches.
    """

    def __init__(self, plan: ViTPlan, grid: tuple[int, int]) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, plan.width, _PATCH, plan.stride, bias=not plan.clip)
        self.class_token = nn.Parameter(torch.zeros(1, 1, plan.width))
        self.positions = nn.Parameter(torch.zeros(1, grid[0] * grid[1] + 1, plan.width))
        for parameter in (self.class_token, self.positions):
            nn.init.trunc_normal_(parameter, std=0.02)
        self.coefficient = plan.camera
        if plan.camera:
            self.camera = nn.Parameter(torch.zeros(1, 1, plan.width))
        self.for_class_alone = plan.clip
        self.norm = nn.LayerNorm(plan.width) if plan.clip else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, 3, H, W) to (N, 1 + h * w, D)."""
        x = self.patches(images).flatten(2).transpose(1, 2)  # (N, D, h, w) -> (N, h*w, D)
        token: Tensor = self.class_token
        if self.coefficient and self.for_class_alone:
            token = token + self.coefficient * self.camera
        x = torch.cat((token.expand(x.shape[0], -1, -1), x), dim=1) + self.positions
        if self.coefficient and not self.for_class_alone:
            x = x + self.coefficient * self.camera
        tokens: Tensor = self.norm(x)
        return tokens


class ClassToken(nn.Module):
    """The class token after the last norm, for CLIP also its projection.

    Args:
        plan: of the network.

    Attributes:
        widths: D of each feature.
    """

    def __init__(self, plan: ViTPlan) -> None:
        super().__init__()
        self.widths = (plan.width, _PROJECTION) if plan.clip else (plan.width,)
        self.norm = _norm(plan)
        if plan.clip:
            self.projection = nn.Parameter(torch.empty(plan.width, _PROJECTION))
            nn.init.normal_(self.projection, std=plan.width**-0.5)

    def forward(self, tokens: Tensor) -> list[Tensor]:
        """Maps (N, L, D) to one (N, width) per feature."""
        token = self.norm(tokens[:, 0])
        return [token] if len(self.widths) == 1 else [token, token @ self.projection]


class JigsawPool(nn.Module):
    """TransReID's jigsaw patch module: all tokens, then four groups of shifted, shuffled patches.

    After He et al., "TransReID: Transformer-based Object Re-Identification", ICCV 2021.

    Args:
        plan: of the network.
        whole: the last block, of all tokens.
        part: the last block, of each group.
    """

    def __init__(self, plan: ViTPlan, whole: nn.Module, part: nn.Module) -> None:
        super().__init__()
        self.whole = nn.Sequential(whole, _norm(plan))
        self.part = nn.Sequential(part, _norm(plan))

    def forward(self, tokens: Tensor) -> list[Tensor]:
        """Maps (N, L, D) to five (N, D)."""
        token, patches = tokens[:, :1], self._shuffled(tokens)
        length = (tokens.shape[1] - 1) // _PARTS
        groups = [patches[:, part * length : (part + 1) * length] for part in range(_PARTS)]
        parts = [self.part(torch.cat((token, group), dim=1))[:, 0] for group in groups]
        return [self.whole(tokens)[:, 0], *parts]

    def _shuffled(self, tokens: Tensor) -> Tensor:
        """Moves the first patches to the end, then takes from each half in turn."""
        patches = torch.cat((tokens[:, _SHIFT:], tokens[:, 1:_SHIFT]), dim=1)
        if patches.shape[1] % _GROUPS:
            patches = torch.cat((patches, patches[:, -2:-1]), dim=1)
        number, length, width = patches.shape
        halves = patches.reshape(number, _GROUPS, length // _GROUPS, width)  # (N, 2, L/2, D)
        return halves.transpose(1, 2).reshape(number, length, width)


class QuickGELU(nn.Module):
    """``x * sigmoid(1.702 x)``, which CLIP was trained with."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps a tensor to one of its shape."""
        return x * functional.sigmoid(1.702 * x)


def _block(plan: ViTPlan) -> nn.Module:
    from timm.models.vision_transformer import Block

    block: nn.Module = Block(
        plan.width,
        plan.heads,
        qkv_bias=True,
        norm_layer=partial(nn.LayerNorm, eps=_epsilon(plan)),  # type: ignore[arg-type]
        act_layer=QuickGELU if plan.clip else nn.GELU,
    )
    return block


def _norm(plan: ViTPlan) -> nn.LayerNorm:
    return nn.LayerNorm(plan.width, eps=_epsilon(plan))


def _epsilon(plan: ViTPlan) -> float:
    return 1e-5 if plan.clip else 1e-6
