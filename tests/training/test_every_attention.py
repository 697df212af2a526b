"""Any attention in a tiny network trains, saves, loads, resumes exactly, explains, is costed."""

import pytest
import torch
from timm.layers import EcaModule, GlobalContext, SEModule
from tiny import StopAt, people, same, tiny, weights_in
from torch import nn
from torchvision.ops import SqueezeExcitation

from apnet.checkpoints import load_checkpoint
from apnet.errors import Interrupted
from apnet.explanation import level_maps
from apnet.model import ATTENTIONS, create_network, network_cost
from apnet.training import resume_run, train


class Columns(nn.Module):
    """Logits per column (n, 1, 1, w): in no table."""

    def __init__(self, channels):
        super().__init__()
        self.score = nn.Conv1d(channels, 1, 1)

    def forward(self, piece):
        return self.score(piece.mean(dim=2)).unsqueeze(2)


OWN = {
    "timm SE": ("map", lambda channels, _: SEModule(channels)),
    "timm ECA": ("map", lambda channels, _: EcaModule(channels)),
    "timm GC": ("map", lambda channels, _: GlobalContext(channels, rd_channels=2)),
    "torchvision SE": ("map", lambda channels, _: SqueezeExcitation(channels, 2)),
    "columns": ("logits", lambda channels, _: Columns(channels)),
    "mixed": ("logits", ["channel", lambda channels, _: Columns(channels)]),
}


def own_network(name):
    returns, attention = OWN[name]
    torch.manual_seed(0)
    return create_network(
        "apnet-c2-small",
        attention=attention,
        returns=returns,
        backbone="resnet10t",
        backbone_options={"channels": [8, 8, 16, 16], "stem_width": 8},
        reduction=4,
        image_size=(64, 32),
    )


@pytest.mark.parametrize("name", [*ATTENTIONS, "channel, spatial", *OWN])
def test_every_attention_goes_all_the_way(tmp_path, name):
    names = [f'"{each}"' for each in name.split(", ")]
    chosen = names[0] if len(names) == 1 else f"[{', '.join(names)}]"
    settings = [] if name in OWN else [f"network.attention={chosen}"]
    recipe = tiny("network.image_size=[64, 32]", "network.parts=[1, 2]", "epochs=2", *settings)
    data = people(tmp_path / "people")

    def own():
        return {"network": own_network(name)} if name in OWN else {}

    options = {"device": "cpu", "evaluate": False}
    train(recipe, data, tmp_path / "whole", **own(), **options)
    with pytest.raises(Interrupted):
        train(recipe, data, tmp_path / "cut", **own(), **options, callbacks=[StopAt(0, 1)])
    resume_run(tmp_path / "cut", **own(), **options)
    assert same(weights_in(tmp_path / "whole"), weights_in(tmp_path / "cut"))
    network = load_checkpoint(tmp_path / "whole", **own()).network
    images = torch.randn(2, 3, 64, 32)
    maps = level_maps(network, images)
    assert [len(stage) for stage in maps] == [3] * 4
    assert all(torch.isfinite(torch.as_tensor(level)).all() for stage in maps for level in stage)
    cost = network_cost(network, (64, 32))
    plain = network_cost(create_network("apnet-c0-small", **_backbone()), (64, 32))
    assert cost.multiply_adds > plain.multiply_adds
    assert cost.parameters == sum(weight.numel() for weight in network.parameters())


def _backbone():
    return {
        "backbone": "resnet10t",
        "backbone_options": {"channels": [8, 8, 16, 16], "stem_width": 8},
        "image_size": (64, 32),
    }
