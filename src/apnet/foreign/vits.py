"""Vision transformers: TransReID (He et al.), PersonViT (Hu et al.), CLIP-ReID (Li et al.)."""

from __future__ import annotations

import re
from dataclasses import replace

from apnet.config import NetworkConfig
from apnet.foreign.architecture import Architecture, Rule, toolkit

_BLOCKS_PER_STAGE = 3


def _config(name: str, image_size: tuple[int, int]) -> NetworkConfig:
    return replace(toolkit(name, image_size), feature="pooled")


def _block(match: re.Match[str]) -> str:
    return f"block {(int(match[1]) - 1) * _BLOCKS_PER_STAGE + int(match[2])}."


def _neck(match: re.Match[str]) -> str:
    return f"bottleneck_{match[1]}." if match[1] != "0" else "bottleneck."


_NUMBERED: Rule = (r"^trunk\.quarter(\d)\.body\.(\d)\.", _block)
_NECKS: Rule = (r"^branches\.0\.heads\.(\d)\.neck\.", _neck)

_TRANSREID: tuple[Rule, ...] = (
    _NUMBERED,
    (r"^block ", "base.blocks."),
    (r"^trunk\.tokens\.patches\.", "base.patch_embed.proj."),
    (r"^trunk\.tokens\.class_token$", "base.cls_token"),
    (r"^trunk\.tokens\.positions$", "base.pos_embed"),
    (r"^trunk\.tokens\.camera$", "base.sie_embed"),
    (r"^branches\.0\.pool\.norm\.", "base.norm."),
    (r"^branches\.0\.pool\.whole\.", "b1."),
    (r"^branches\.0\.pool\.part\.", "b2."),
    _NECKS,
)
_TRANSREID_UNUSED = r"(classifier(_\d)?|base\.fc)\..*"
_JIGSAW_UNUSED = rf"{_TRANSREID_UNUSED}|base\.(blocks\.11|norm)\..*"
"""JPM has copies of the last block and norm, and does not use the originals."""

_CLIP: tuple[Rule, ...] = (
    _NUMBERED,
    (r"^block (\d+)\.norm(\d)\.", r"block \1.ln_\2."),
    (r"^block (\d+)\.attn\.qkv\.", r"block \1.attn.in_proj_"),
    (r"^block (\d+)\.attn\.proj\.", r"block \1.attn.out_proj."),
    (r"^block (\d+)\.mlp\.fc1\.", r"block \1.mlp.c_fc."),
    (r"^block (\d+)\.mlp\.fc2\.", r"block \1.mlp.c_proj."),
    (r"^block ", "image_encoder.transformer.resblocks."),
    (r"^trunk\.tokens\.patches\.", "image_encoder.conv1."),
    (r"^trunk\.tokens\.class_token$", "image_encoder.class_embedding"),
    (r"^trunk\.tokens\.positions$", "image_encoder.positional_embedding"),
    (r"^trunk\.tokens\.camera$", "cv_embed"),
    (r"^trunk\.tokens\.norm\.", "image_encoder.ln_pre."),
    (r"^branches\.0\.pool\.norm\.", "image_encoder.ln_post."),
    (r"^branches\.0\.pool\.projection$", "image_encoder.proj"),
    (r"^branches\.0\.heads\.0\.neck\.", "bottleneck."),
    (r"^branches\.0\.heads\.1\.neck\.", "bottleneck_proj."),
)
_CLIP_UNUSED = r"(classifier(_proj)?|prompt_learner|text_encoder)\..*"

_SMALL, _TALL = (256, 128), (384, 128)


def _transreid(
    name: str, size: tuple[int, int] = _SMALL, *, sie: bool = False, jpm: bool = False
) -> Architecture:
    return Architecture(
        _config(name, size),
        _TRANSREID,
        _JIGSAW_UNUSED if jpm else _TRANSREID_UNUSED,
        averaged="base.sie_embed" if sie else None,
    )


VITS: dict[str, Architecture] = {
    "transreid/vit_base": _transreid("transreid/vit_base"),
    "transreid/vit_base_384": _transreid("transreid/vit_base", _TALL),
    "transreid/vit_sie": _transreid("transreid/vit_sie", sie=True),
    "transreid/vit_jpm": _transreid("transreid/vit_jpm", jpm=True),
    "transreid/vit_transreid": _transreid("transreid/vit_transreid", sie=True, jpm=True),
    "transreid/vit_transreid_384": _transreid("transreid/vit_transreid", _TALL, sie=True, jpm=True),
    "transreid/vit_transreid_stride": _transreid(
        "transreid/vit_transreid_stride", sie=True, jpm=True
    ),
    "transreid/vit_transreid_stride_384": _transreid(
        "transreid/vit_transreid_stride", _TALL, sie=True, jpm=True
    ),
    "personvit/vit_base": replace(_transreid("transreid/vit_base"), guessed=False),
    "personvit/vit_base_384": replace(_transreid("transreid/vit_base", _TALL), guessed=False),
    "personvit/vit_small": _transreid("personvit/vit_small"),
    "personvit/vit_small_384": _transreid("personvit/vit_small", _TALL),
    **{
        f"clip-reid/{name}": Architecture(
            _config(f"clip-reid/{name}", _SMALL),
            _CLIP,
            _CLIP_UNUSED,
            averaged="cv_embed" if "sie" in name else None,
        )
        for name in ("vit", "vit_sie", "vit_stride", "vit_sie_stride")
    },
}
