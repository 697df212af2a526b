import numpy as np
import pytest

import apnet
from apnet.calibration import calibrate, calibration_path, save_calibration
from apnet.types import Embeddings
from gallery.pictures import pixels, write_network

pytest.importorskip("fastapi", reason="the service needs the extra serve")


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A small network with a calibration on features drawn at random."""
    path = write_network(tmp_path_factory.mktemp("served") / "tiny.safetensors")
    loaded = apnet.load_model(path, device="cpu")
    pids = np.arange(960) % 320
    drawn = np.random.default_rng(0).standard_normal((960, loaded.network.feature_dim))
    features = Embeddings(
        drawn.astype(np.float32), pids, np.arange(960) // 320, (), loaded.fingerprint
    )
    save_calibration(calibrate(loaded, features), calibration_path(path))
    return loaded


@pytest.fixture
def served(tmp_path, model):
    """A gallery with ann (pictures 0 and 1) and bob (2)."""
    with apnet.Gallery.create(tmp_path / "people.gallery", model=model) as gallery:
        gallery.add([pixels(0), pixels(1)], "ann", camera="door", source="/secret/ann.png")
        gallery.add([pixels(2)], "bob")
        yield gallery


@pytest.fixture
def client(served):
    from fastapi.testclient import TestClient

    from apnet.service.app import create_app

    with TestClient(create_app(served)) as asking:
        yield asking
