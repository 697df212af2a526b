"""The paper's equations and the released code's steps written out, to hold the fast forms against.

They share nothing with the package but the weights: plain matrix products, loops over parts, the
full relation matrix.
"""

import torch


def norm(x, batch_norm, dims):
    """Batch norm over the given dimensions, the channel being dimension 1."""
    shape = [1, -1, *[1] * (x.dim() - 2)]
    if batch_norm.training:
        mean, variance = x.mean(dims), x.var(dims, unbiased=False)
    else:
        mean, variance = batch_norm.running_mean, batch_norm.running_var
    scaled = (x - mean.view(shape)) / (variance.view(shape) + batch_norm.eps).sqrt()
    return scaled * batch_norm.weight.view(shape) + batch_norm.bias.view(shape)


def conv1x1(x, weight):
    return torch.einsum("kc,nchw->nkhw", weight.flatten(1), x)


def conv_norm_relu(x, block):
    return norm(conv1x1(x, block[0].weight), block[1], (0, 2, 3)).clamp(min=0)


def squeeze_excite(x, attention, part):
    """Eq. 5 without its sigmoid, for one part's slice of the map and that part's weights."""
    groups = attention.squeeze.groups
    first = attention.squeeze.weight.squeeze(2).chunk(groups)[part]
    second = attention.excite.weight.squeeze(2).chunk(groups)[part]
    pooled = x.mean(dim=(2, 3))
    return (second @ (first @ pooled.T).clamp(min=0)).T


def relations(theta, phi):
    """r[n, p, q] = theta(f_p)^T phi(f_q), node by node."""
    nodes = theta.shape[2]
    rows = [
        torch.stack([(theta[:, :, p] * phi[:, :, q]).sum(1) for q in range(nodes)], dim=1)
        for p in range(nodes)
    ]
    return torch.stack(rows, dim=1)


def spatial(x, attention):
    """Eq. 4 without its sigmoid, RGA's way: the N x N relations are stacked and convolved."""
    n, _, height, width = x.shape
    theta = conv_norm_relu(x, attention.theta).flatten(2)
    phi = conv_norm_relu(x, attention.phi).flatten(2)
    related = relations(theta, phi)
    nodes = height * width
    into = related.transpose(1, 2).reshape(n, nodes, height, width)
    out_of = related.reshape(n, nodes, height, width)
    stacked = torch.cat((into, out_of), dim=1)
    embedded = norm(
        conv1x1(stacked, attention.relation.weight), attention.relation_norm, (0, 2, 3)
    ).clamp(min=0)
    overview = conv_norm_relu(x, attention.overview).mean(dim=1, keepdim=True)
    hidden = conv_norm_relu(torch.cat((overview, embedded), dim=1), attention.score[0])
    return norm(conv1x1(hidden, attention.score[1].weight), attention.score[2], (0, 2, 3))


def pyramid(x, module):
    """Eq. 1-3: every level splits the map itself, attends part by part, merges, stacks."""
    for parts, attends in zip(module.parts, module.attends, strict=True):
        if module.attention == "channel":
            pieces = x.split(x.shape[1] // parts, dim=1)
            logits = [squeeze_excite(piece, attends, j) for j, piece in enumerate(pieces)]
            attention = torch.cat(logits, dim=1)[:, :, None, None]
        else:
            pieces = x.split(x.shape[2] // parts, dim=2)
            logits = [spatial(p, a) for p, a in zip(pieces, attends.attends, strict=True)]
            attention = torch.cat(logits, dim=2)
        x = 1 / (1 + torch.exp(-attention)) * x
    return x


def released(x, module):
    """The released order: finer levels first, each followed by a batch norm, the global SE last."""
    for split, after in zip(module.splits, module.norms, strict=True):
        first, inner, _, second = split.weigh
        parts = x.chunk(split.parts, dim=1)
        total = sum(parts)
        pooled = total.mean(dim=(2, 3))
        hidden = norm(pooled @ first.weight.T + first.bias, inner, (0,)).clamp(min=0)
        scores = (hidden @ second.weight.T + second.bias).chunk(split.parts, dim=1)
        exponents = [score.exp() for score in scores]
        shares = [exponent / sum(exponents) for exponent in exponents]
        weighted = [part * s[:, :, None, None] for part, s in zip(parts, shares, strict=True)]
        x = norm(torch.cat(weighted, dim=1), after, (0, 2, 3))
    gate = torch.sigmoid(squeeze_excite(x, module.overall, 0))
    return x * gate[:, :, None, None]
