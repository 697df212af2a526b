import pytest
import torch
from torch import nn

from apnet.model import AttentionPyramid, Cost, create_network, network_cost

TABLE_III = {"apnet-c0": 6.23, "apnet-c1": 6.23, "apnet-c2": 6.24, "apnet-c3": 6.25}
CONV_LINEAR = {"apnet-c0": 6.207, "apnet-c1": 6.207, "apnet-c2": 6.208, "apnet-c3": 6.208}


@pytest.mark.parametrize("name", TABLE_III)
def test_cost_is_that_of_table_iii(name):
    with torch.device("meta"):
        cost = network_cost(create_network(name))
    assert cost.paper_multiply_adds / 1e9 == pytest.approx(TABLE_III[name], abs=0.02)
    assert cost.multiply_adds / 1e9 == pytest.approx(CONV_LINEAR[name], abs=0.0006)


def test_cost_of_the_se_network_is_that_of_table_iii():
    with torch.device("meta"):
        cost = network_cost(create_network("se-resnet50"))
    assert cost.paper_multiply_adds / 1e9 == pytest.approx(6.24, abs=0.02)


def test_every_operation_is_counted_once():
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    )
    convolution, linear, elements = 8 * 3 * 9 * 8 * 6, 8 * 5, 8 * 8 * 6
    assert network_cost(network, (16, 12)) == Cost(
        multiply_adds=convolution + linear,
        paper_multiply_adds=convolution + linear + 2 * elements + elements,
        parameters=8 * 27 + 8 + 16 + 45,
    )


def test_a_channel_pyramid_pools_once_and_scales_the_map_once():
    channels, area = 64, 8 * 6
    convolution = channels * 3 * area
    for parts in ((1,), (1, 2), (1, 2, 4)):
        network = nn.Sequential(nn.Conv2d(3, channels, 1), AttentionPyramid(channels, parts))
        attention = sum(2 * channels * (channels // n // 16 or 1) for n in parts)
        vectors = channels * (len(parts) - 1) * 2  # gate times view, gate times gate
        cost = network_cost(network, (8, 6))
        assert cost.multiply_adds == convolution + attention
        assert cost.paper_multiply_adds == cost.multiply_adds + 2 * channels * area + vectors


def test_the_spatial_relations_are_counted_at_their_reassociated_price():
    channels, size = 64, (8, 4)
    nodes, embedded, related = 32, 8, 4
    network = nn.Sequential(
        nn.Conv2d(3, channels, 1), AttentionPyramid(channels, (1,), "spatial", size)
    )
    convolutions = 3 * channels + 3 * channels * embedded + (1 + related) * 1 + 1
    relations = nodes * nodes * embedded // 2
    assert network_cost(network, size).multiply_adds == convolutions * nodes + relations


def test_counting_changes_nothing():
    network = create_network("apnet-c2-small").train()
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network_cost(network, (64, 32))
    assert network.training
    assert all(torch.equal(state[name], value) for name, value in network.state_dict().items())


def test_all_parameters_are_counted():
    with torch.device("meta"):
        network = create_network("apnet-c0", num_classes=751)
    assert network_cost(network, (64, 32)).parameters == 23_508_032 + 2 * 2048 + 751 * 2048
