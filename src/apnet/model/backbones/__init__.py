"""timm backbones, cut into stages, with their initial weights."""
