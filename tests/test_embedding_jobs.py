"""Embedding jobs, called as library functions."""

import numpy as np
import pytest
import torch
from PIL import Image

from apnet.embedding import (
    ComputeOptions,
    EmbedJob,
    EmbedOptions,
    embed_records,
    embed_to_file,
    embed_to_store,
)
from apnet.errors import ConfigError, ImageError
from apnet.model import create_network
from apnet.retrieval import load_features
from apnet.types import ImageRecord

SIZE = (32, 16)
ON_CPU = ComputeOptions(torch.device("cpu"))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return create_network("apnet-c2-small", image_size=SIZE).eval()


@pytest.fixture
def records(tmp_path):
    made = []
    for index in range(5):
        pixels = np.random.default_rng(index).integers(0, 256, (40, 20, 3), np.uint8)
        made.append(ImageRecord(tmp_path / f"{index}.png", index, 1))
        Image.fromarray(pixels).save(made[-1].path)
    return made


class Told:
    """Keeps what a job reports."""

    def __init__(self):
        self.steps, self.lines = [], []

    def job(self, network, records, compute=ON_CPU, **options):
        return EmbedJob(
            network,
            records,
            EmbedOptions(SIZE, batch_size=2, **options),
            compute,
            progress=lambda done, total: self.steps.append((done, total)),
            notify=self.lines.append,
        )


def test_a_file_holds_the_references_features(network, records, tmp_path, capsys):
    told, out = Told(), tmp_path / "features.npz"
    result = embed_to_file(told.job(network, records), out)
    assert (result.images, result.dimensions, result.skipped) == (5, 256, ())
    assert result.computed() == {"backend": "eager", "precision": "float32", "agreement": None}
    assert told.steps == [(2, 5), (4, 5), (5, 5)]
    assert told.lines == []
    expected = embed_records(network, records, SIZE, batch_size=2)
    np.testing.assert_array_equal(load_features(out).features, expected.features)
    assert capsys.readouterr() == ("", "")


def test_a_store_grows_by_what_is_new(network, records, tmp_path):
    told, out = Told(), tmp_path / "store"
    embed_to_store(told.job(network, records[:3]), out, fingerprint="abc")
    assert told.steps == [(2, 3), (3, 3)]
    told.steps.clear()
    result = embed_to_store(told.job(network, records), out, fingerprint="abc")
    assert told.steps == [(5, 5)]
    assert (result.images, result.choice.backend.name) == (5, "eager")
    result = embed_to_store(told.job(network, records), out, fingerprint="abc")
    assert (result.images, result.choice) == (5, None)
    assert load_features(out).paths == tuple(str(record.path) for record in records)
    with pytest.raises(ConfigError, match="network abc, now def"):
        embed_to_store(told.job(network, records), out, fingerprint="def")


def test_a_skipped_image_is_reported_and_returned(network, records, tmp_path):
    records[1].path.write_bytes(b"")
    told = Told()
    result = embed_to_file(
        told.job(network, records, skip_unreadable=True), tmp_path / "features.npz"
    )
    assert result.skipped == (str(records[1].path),)
    assert told.lines == [f"skipped: {records[1].path}: an empty file; replace or remove it"]
    assert told.steps[-1] == (5, 5)


def test_a_store_says_what_it_has_when_an_image_ends_the_job(network, records, tmp_path):
    records[3].path.write_bytes(b"")
    told, out = Told(), tmp_path / "store"
    with pytest.raises(ImageError, match=r"3\.png"):
        embed_to_store(told.job(network, records), out, fingerprint="abc")
    assert told.lines == [f"{out} has 3 images; the same command goes on from there"]
    assert len(load_features(out)) == 3


def test_the_engine_that_was_asked_for_is_named(network, records, tmp_path):
    told, compute = Told(), ComputeOptions(ON_CPU.device, "folded", "float32")
    result = embed_to_file(told.job(network, records, compute), tmp_path / "features.npz")
    assert result.choice.backend.name == "folded"
    (line,) = told.lines
    assert line.startswith("computing with folded float32: smallest cosine ")
