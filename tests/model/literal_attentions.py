"""The built-in attentions' formulas written with loops over positions, channels and taps.

They share nothing with the package but the weights.
"""

import literal
import torch


def sigmoid(x):
    return 1 / (1 + torch.exp(-x))


def eca(x, attention):
    weight = attention.conv.weight.flatten()
    pooled, half = x.mean(dim=(2, 3)), len(weight) // 2
    columns = []
    for channel in range(x.shape[1]):
        total = torch.zeros_like(pooled[:, 0])
        for tap in range(len(weight)):
            neighbour = channel + tap - half
            if 0 <= neighbour < x.shape[1]:
                total = total + weight[tap] * pooled[:, neighbour]
        columns.append(total)
    return torch.stack(columns, dim=1)[:, :, None, None]


def perceptron(pooled, attention):
    """``W_1 ReLU(W_0 .)`` of vectors."""
    first, second = attention.squeeze.weight.squeeze(2), attention.excite.weight.squeeze(2)
    return (pooled @ first.T).clamp(min=0) @ second.T


def cbam(x, attention):
    largest = x.flatten(2).max(dim=2).values
    logits = perceptron(x.mean(dim=(2, 3)), attention.channel)
    logits = logits + perceptron(largest, attention.channel)
    x = x * sigmoid(logits)[:, :, None, None]
    stacked = torch.stack((x.mean(dim=1), x.max(dim=1).values), dim=1)
    height, width = x.shape[2:]
    weight = attention.spatial.weight[0]  # (2, 7, 7)
    rows = []
    for row in range(height):
        for column in range(width):
            total = torch.zeros_like(x[:, 0, 0, 0])
            for i in range(max(row - 3, 0), min(row + 4, height)):
                for j in range(max(column - 3, 0), min(column + 4, width)):
                    total = total + stacked[:, :, i, j] @ weight[:, i - row + 3, j - column + 3]
            rows.append(total)
    gate = sigmoid(torch.stack(rows, dim=1)).reshape(len(x), 1, height, width)
    return x * gate


def coordinate(x, attention):
    conv, norm, _ = attention.shared
    rows = x.sum(dim=3) / x.shape[3]  # (N, C, H)
    columns = x.sum(dim=2) / x.shape[2]  # (N, C, W)
    squeezed = torch.einsum("kc,ncl->nkl", conv.weight.flatten(1), torch.cat((rows, columns), 2))
    normed = literal.norm(squeezed, norm, (0, 2))
    shared = normed * (normed + 3).clamp(0, 6) / 6
    of_rows, of_columns = shared[:, :, : x.shape[2]], shared[:, :, x.shape[2] :]
    row_gate = sigmoid(torch.einsum("ck,nkh->nch", attention.of_rows.weight.flatten(1), of_rows))
    weight = attention.of_columns.weight.flatten(1)
    column_gate = sigmoid(torch.einsum("ck,nkw->ncw", weight, of_columns))
    return torch.einsum("nchw,nch,ncw->nchw", x, row_gate, column_gate)


def gather_excite(x, attention):
    extent = attention.gather.stride
    first, second = attention.squeeze.weight.flatten(1), attention.excite.weight.flatten(1)
    logits = torch.zeros_like(x)
    for row in range(x.shape[2]):
        for column in range(x.shape[3]):
            top, left = row // extent * extent, column // extent * extent
            near = x[
                :,
                :,
                max(top - extent + 1, 0) : top + extent,
                max(left - extent + 1, 0) : left + extent,
            ]
            gathered = near.mean(dim=(2, 3))
            logits[:, :, row, column] = (gathered @ first.T).clamp(min=0) @ second.T
    return logits


def non_local(x, attention):
    theta, phi, g = literal.conv1x1(x, attention.embed.weight).flatten(2).chunk(3, dim=1)
    nodes = []
    for p in range(theta.shape[2]):
        weights = torch.stack(
            [torch.exp((theta[:, :, p] * phi[:, :, q]).sum(1)) for q in range(phi.shape[2])], dim=1
        )
        nodes.append(torch.einsum("nq,ncq->nc", weights / weights.sum(1, keepdim=True), g))
    context = torch.stack(nodes, dim=2).reshape(len(x), -1, *x.shape[2:])
    context = literal.conv1x1(context, attention.output.weight)
    return x + literal.norm(context, attention.norm, (0, 2, 3))


def rga_c(x, attention):
    """RGA-C with its (N, C, C) relations, by rows of channels."""
    inner, count = attention.nodes, x.shape[1]
    nodes = x.permute(0, 2, 3, 1).reshape(len(x), -1, count, 1)  # (N, H*W, C, 1)
    theta = literal.conv_norm_relu(nodes, inner.theta).squeeze(3)
    phi = literal.conv_norm_relu(nodes, inner.phi).squeeze(3)
    overview = literal.conv_norm_relu(nodes, inner.overview).mean(dim=1, keepdim=True)
    related = literal.relations(theta, phi)  # (N, C, C)
    stacked = torch.cat((related.transpose(1, 2), related), dim=1).unsqueeze(3)  # (N, 2C, C, 1)
    embedded = literal.conv1x1(stacked, inner.relation.weight)
    embedded = literal.norm(embedded, inner.relation_norm, (0, 2, 3)).clamp(min=0)
    joined = torch.cat((overview, embedded), dim=1)
    hidden = literal.conv_norm_relu(joined, inner.score[0])
    scores = literal.conv1x1(hidden, inner.score[1].weight)
    scores = literal.norm(scores, inner.score[2], (0, 2, 3))  # (N, 1, C, 1)
    return scores.reshape(len(x), count, 1, 1)
