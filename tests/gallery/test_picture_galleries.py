"""A gallery of pictures: folders, tables, frames, thumbnails, another network."""

import csv
import dataclasses

import numpy as np
import pytest
from PIL import Image

import apnet
from apnet.errors import ApnetError, DataError, GalleryError
from apnet.gallery import Filter
from gallery.pictures import pixels, write_network, write_picture


@pytest.fixture
def gallery(picture_gallery):
    return picture_gallery


@pytest.fixture
def folder(tmp_path):
    for seed, name in enumerate(["ann/c1_1.png", "ann/c2_1.png", "bob/c1_1.png", "bob/c3_1.png"]):
        write_picture(tmp_path / "people" / name, seed)
    return tmp_path / "people"


def names_of(gallery):
    return {each.name: each.images for each in gallery.identities()}


def test_a_folder_per_person(gallery, folder):
    result = gallery.add_folder(folder)
    assert (result.added, result.known) == (4, 0)
    assert names_of(gallery) == {"ann": 2, "bob": 2}
    assert gallery.identity("bob").cameras == ("1", "3")
    assert gallery.images("ann")[0].source == str(folder / "ann" / "c1_1.png")


def test_the_same_folder_again_adds_nothing(gallery, folder):
    gallery.add_folder(folder)
    again = gallery.add_folder(folder)
    assert (again.added, again.known) == (0, 4)
    assert len(gallery) == 4


def test_an_interrupted_add_goes_on(gallery, folder, monkeypatch):
    monkeypatch.setattr("apnet.gallery.adding.BATCH", 2)
    monkeypatch.setattr("apnet.gallery.images.BATCH", 2)

    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gallery.add_folder(folder, progress=stop)
    assert len(gallery) == 2
    assert gallery.add_folder(folder).added == 2


def test_a_bad_image_is_named_and_those_before_it_stay(gallery, folder, monkeypatch):
    monkeypatch.setattr("apnet.gallery.images.BATCH", 2)
    (folder / "bob" / "c3_1.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    with pytest.raises(DataError, match="c3_1"):
        gallery.add_folder(folder)
    assert names_of(gallery) == {"ann": 2, "bob": 1}
    assert gallery.verify() == []


def test_images_without_identity(gallery, folder):
    assert gallery.add_folder(folder, named=False).added == 4
    assert names_of(gallery) == {}
    assert len(gallery.images(None)) == 4
    assert gallery.add_folder(folder).labelled == 4
    assert names_of(gallery) == {"ann": 2, "bob": 2}


def test_a_table(gallery, folder, tmp_path):
    table = tmp_path / "people" / "list.csv"
    rows = [
        ["path", "identity", "camera", "time", "metadata.team", "weather"],
        ["ann/c1_1.png", "Ann", "door", "2026-11-26T08:00:00Z", "blue", "rain"],
        ["bob/c1_1.png", "", "", "", "", ""],
    ]
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    with pytest.warns(UserWarning, match="not read: weather"):
        gallery.add_table(table)
    ann = gallery.identity("Ann")
    assert ann.metadata == {"team": "blue"}
    (image,) = gallery.images("Ann")
    assert (image.camera, image.time) == ("door", 1795680000.0)
    assert len(gallery.images(None)) == 1


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (["", "ann", "", ""], "line 2.*path.*empty"),
        (["gone.png", "ann", "", ""], "line 2.*gone.png does not exist"),
        (["ann/c1_1.png", "a\tb", "", ""], "line 2.*cannot be printed"),
        (["ann/c1_1.png", "x" * 300, "", ""], "line 2.*300 characters"),
        (["ann/c1_1.png", "ann", "", "2026-11-26 08:00"], "line 2.*no zone"),
        (["ann/c1_1.png", "ann", "", "soon"], "line 2.*no time"),
    ],
)
def test_a_wrong_table_changes_nothing(gallery, folder, row, told):
    table = folder / "list.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([["path", "identity", "camera", "time"], row])
    with pytest.raises(ApnetError, match=told):
        gallery.add_table(table)
    assert len(gallery) == 0


def test_a_frame_with_boxes(gallery):
    frame = pixels(5, (160, 120))
    result = gallery.add(frame, "ann", boxes=[[0, 0, 40, 80], [50, 10, 90, 120]], camera=7)
    assert result.added == 2
    answer = gallery.search(frame[10:120, 50:90], threshold=0.5)
    assert answer.decision == "ann"
    assert answer.matches[0].similarity == pytest.approx(1, abs=1e-5)
    assert answer.matches[0].camera == "7"
    assert "the query itself" in answer.limits


def test_search_by_path_array_and_pillow_image_agree(gallery, folder):
    gallery.add_folder(folder)
    path = folder / "bob" / "c1_1.png"
    image = Image.open(path)
    found = [
        gallery.search(each, threshold=0.9) for each in (str(path), path, image, np.asarray(image))
    ]
    assert {each.decision for each in found} == {"bob"}
    assert len({round(each.matches[0].similarity, 5) for each in found}) == 1
    filtered = gallery.search(path, where=Filter(not_cameras=[1]))
    assert filtered.matches[0].camera in ("2", "3")


def test_thumbnails_are_kept_where_they_are_asked_for(tmp_path, model, folder):
    from apnet.gallery.rows import thumbnails_of

    for wanted in (False, True):
        place = tmp_path / f"thumbnails-{wanted}"
        with apnet.Gallery.create(place, model=model, thumbnails=wanted) as gallery:
            gallery.add_folder(folder)
            held = thumbnails_of(gallery._engine, [1, 2, 3, 4])
            assert len(held) == 4 * wanted
            assert all(each.startswith(b"\xff\xd8") for each in held.values())


def test_another_network_is_refused_with_what_differs(tmp_path, gallery, folder):
    gallery.add_folder(folder)
    other = write_network(tmp_path / "other.safetensors", seed=1)
    with (
        apnet.Gallery(gallery.place, model=other) as opened,
        pytest.raises(GalleryError, match=r"network .* instead of .*re-embed"),
    ):
        opened.search(folder / "ann" / "c1_1.png")


def test_the_network_is_found_where_it_was(tmp_path, network, folder):
    place = tmp_path / "found"
    apnet.Gallery.create(place, model=network).close()
    with apnet.Gallery(place) as gallery:
        assert gallery.add_folder(folder).added == 4
        assert gallery.facts.network == str(network)


def test_features_of_another_network_are_refused(gallery, model):
    embeddings = model.embed(pixels(3))
    wrong = dataclasses.replace(embeddings, fingerprint="0" * 16)
    for call in (gallery.add_features, gallery.search):
        with pytest.raises(GalleryError, match="network 0000000000000000"):
            call(wrong)
    assert gallery.add_features(embeddings, "ann").added == 1
    assert gallery.search(embeddings).matches[0].name == "ann"


# re-embed


def test_re_embed_keeps_everything_but_the_features(tmp_path, gallery, folder):
    gallery.add_folder(folder)
    gallery.add(folder / "ann" / "c1_1.png", "ann", metadata={"team": "blue"})
    other = write_network(tmp_path / "other.safetensors", seed=1)
    assert gallery.re_embed(tmp_path / "new", other) == 4
    with apnet.Gallery(tmp_path / "new") as new:
        assert new.facts.fingerprint != gallery.facts.fingerprint
        assert names_of(new) == names_of(gallery)
        assert new.identity("ann").cameras == ("1", "2")
        expected = apnet.load_model(other).embed(folder / "ann" / "c1_1.png")
        assert new.search(expected).matches[0].similarity == pytest.approx(1, abs=1e-5)
        kept, was = new.images("bob"), gallery.images("bob")
        assert [each.added for each in kept] == [each.added for each in was]
        assert new.verify() == []


def test_re_embed_refuses_when_pictures_are_gone(tmp_path, gallery, folder):
    gallery.add_folder(folder)
    write_picture(folder / "ann" / "c1_1.png", 99)  # replaced by another picture
    (folder / "bob" / "c1_1.png").unlink()
    other = write_network(tmp_path / "other.safetensors", seed=1)
    with pytest.raises(GalleryError, match=r"2 of 4 images.*c1_1"):
        gallery.re_embed(tmp_path / "new", other)
    assert not (tmp_path / "new").exists()


def test_re_embed_reads_thumbnails_where_files_are_gone(tmp_path, model, folder):
    with apnet.Gallery.create(tmp_path / "g", model=model, thumbnails=True) as gallery:
        gallery.add_folder(folder)
        (folder / "bob" / "c1_1.png").unlink()
        with pytest.warns(UserWarning, match="1 images are read from thumbnails"):
            gallery.re_embed(tmp_path / "new", model)
    with apnet.Gallery(tmp_path / "new") as new:
        assert len(new) == 4


def test_an_interrupted_re_embed_leaves_no_gallery_and_can_be_repeated(tmp_path, gallery, folder):
    gallery.add_folder(folder)

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gallery.re_embed(tmp_path / "new", gallery.model, progress=stop)
    with pytest.raises(GalleryError):
        apnet.Gallery(tmp_path / "new")
    assert gallery.re_embed(tmp_path / "new", gallery.model) == 4


# grouping


def test_groups_are_proposed_reviewed_and_applied(tmp_path):
    from apnet.gallery import write_proposal

    random = np.random.default_rng(0)
    centres = random.standard_normal((3, 16))
    features = centres.repeat(5, axis=0) + 0.1 * random.standard_normal((15, 16))
    with apnet.Gallery.create(tmp_path / "g", feature_dim=16) as gallery:
        gallery.add_features(centres[:1], "ann")
        gallery.add_features(features)
        groups = gallery.group(threshold=0.8)
        assert [(each.name, each.known, len(each.images)) for each in groups] == [
            ("ann", True, 5),
            ("person-0001", False, 5),
            ("person-0002", False, 5),
        ]
        assert names_of(gallery) == {"ann": 1}  # nothing is changed by a proposal
        write_proposal(groups, tmp_path / "p.csv")
        text = (tmp_path / "p.csv").read_text().replace("person-0001", "bob")
        (tmp_path / "p.csv").write_text(text.replace("person-0002", ""))
        assert gallery.apply_groups(tmp_path / "p.csv") == 10
        assert names_of(gallery) == {"ann": 6, "bob": 5}
        assert len(gallery.images(None)) == 5
        with pytest.raises(GalleryError, match="has an identity already"):
            gallery.apply_groups(tmp_path / "p.csv")
        assert names_of(gallery) == {"ann": 6, "bob": 5}


def test_grouping_needs_a_threshold_and_images(tmp_path):
    with apnet.Gallery.create(tmp_path / "g", feature_dim=4) as gallery:
        with pytest.raises(ApnetError, match="no calibration"):
            gallery.group()
        with pytest.raises(ApnetError, match="from -1 to 1"):
            gallery.group(threshold=2)
        with pytest.raises(GalleryError, match="nothing to do"):
            gallery.group(threshold=0.5)
