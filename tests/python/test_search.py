"""Search and rank lists: who is found, what is refused, and that the pictures show it."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

import apnet
from apnet.errors import ConfigError, DataError
from apnet.rank_lists.rank_sheet import RankedImage, RankRow, draw_rank_rows


def test_the_nearest_come_first(model, pixels):
    found = apnet.search(model, pixels[1], pixels, k=3)
    hits = found[0]
    assert hits[0].row == 1
    assert hits[0].similarity == pytest.approx(1, abs=1e-5)
    assert [hit.rank for hit in hits] == [1, 2, 3]
    similarities = model.embed(pixels).features @ model.embed(pixels[1]).features[0]
    assert [hit.row for hit in hits] == np.argsort(-similarities)[:3].tolist()


def test_a_file_of_the_gallery_does_not_find_itself(model, crops):
    found = apnet.search(model, crops / "1.png", crops, k=3)
    assert sorted(hit.row for hit in found[0]) == [0, 2, 3]
    several = apnet.search(model, [crops / "1.png", crops / "2.png"], crops, k=9)
    assert [sorted(hit.row for hit in hits) for hits in several] == [[0, 2, 3], [0, 1, 3]]
    assert all(np.isfinite(hit.similarity) for hits in several for hit in hits)


def test_identities_tell_right_from_wrong(model, people_folder):
    found = apnet.search(model, people_folder / "query", people_folder / "bounding_box_test", k=4)
    for row, hits in enumerate(found):
        for hit in hits:
            assert hit.correct == (hit.pid == found.query.pids[row])
    unknown = apnet.search(model, np.zeros((9, 9, 3), np.uint8), people_folder / "query", k=1)
    assert unknown[0][0].correct is None


def test_galleries_of_every_kind_answer_alike(model, crops, pixels, run, weights, tmp_path):
    assert run("embed", crops, "--out", tmp_path / "store", "--checkpoint", weights)[0] == 0
    apnet.save_features(tmp_path / "gallery.npz", model.embed(crops))
    query = pixels[2][:, ::-1]
    answers = [
        [(hit.row, round(hit.similarity, 4)) for hit in apnet.search(model, query, gallery)[0]]
        for gallery in (
            crops,
            pixels,
            tmp_path / "store",
            tmp_path / "gallery.npz",
            model.embed(crops),
        )
    ]
    assert all(answer == answers[0] for answer in answers)


def test_a_gallery_of_another_network_is_refused(model, crops, pixels, run, tmp_path):
    other = dataclasses.replace(model.embed(pixels), fingerprint="0123")
    with pytest.raises(DataError, match=f"0123.*{model.fingerprint}"):
        apnet.search(model, pixels[0], other)
    narrow = dataclasses.replace(model.embed(pixels), fingerprint=None)
    narrow = dataclasses.replace(narrow, features=narrow.features[:, :5].copy())
    with pytest.raises(DataError, match="5 numbers"):
        apnet.search(model, pixels[0], narrow)
    assert run("embed", crops, "--out", tmp_path / "store")[0] == 0  # the shipped network
    with pytest.raises(DataError, match="store"):
        apnet.search(model, pixels[0], tmp_path / "store")


@pytest.mark.parametrize(("k", "error"), [(0, ConfigError), (-1, ConfigError), (1.5, TypeError)])
def test_how_many_must_be_a_count(model, pixels, k, error):
    with pytest.raises(error, match="k"):
        apnet.search(model, pixels[0], pixels, k=k)


def test_an_empty_gallery_is_refused(model, pixels, tmp_path):
    with pytest.raises(DataError, match="empty"):
        apnet.search(model, pixels[0], tmp_path)
    with pytest.raises(DataError, match="empty list"):
        apnet.search(model, pixels[0], [])


def test_the_result_is_a_table(model, pixels):
    found = apnet.search(model, pixels, pixels, k=2)
    assert len(found) == 4
    assert found[-1][0].row == 3
    with pytest.raises(IndexError):
        found[4]
    assert found.to_dict()[0]["hits"][0]["rank"] == 1
    pytest.importorskip("pandas")
    assert found.to_frame()["rank"].tolist() == [1, 2] * 4


def cell(mark, size=(40, 80)):
    return RankedImage(Image.new("RGB", size, "grey"), "1: +0.900", "id 1", mark)


def test_right_and_wrong_differ_without_colour():
    pictures = [
        np.asarray(
            draw_rank_rows([RankRow("q", cell(True).image, "id 1", [cell(mark)])]).convert("L")
        )
        for mark in (True, False, None)
    ]
    shared = min(len(picture) for picture in pictures)  # a mark adds a line that explains it
    pictures = [picture[:shared] for picture in pictures]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        different = np.abs(pictures[first].astype(int) - pictures[second].astype(int)) > 60
        assert different.sum() > 50


@pytest.mark.parametrize(("queries", "k"), [(1, 3), (3, 300)])
def test_pictures_grow_with_the_results_and_stay_within_bounds(model, pixels, queries, k):
    gallery = model.embed(pixels)
    gallery = apnet.Embeddings.joined([gallery] * (-(-k // 4)))
    picture = apnet.search(model, list(pixels[:queries]), gallery, k=k).plot()
    assert picture.width < 4000
    assert picture.width * picture.height < 40_000_000


@pytest.mark.parametrize("choose", ["worst", "median", "random"])
def test_rank_lists_of_an_evaluation(model, people_folder, choose, tmp_path):
    data = apnet.load_dataset("market1501", people_folder)
    path = tmp_path / "new" / "ranks.png"
    picture = apnet.plot_ranks(model, data, choose=choose, queries=3, k=4, out=path)
    with Image.open(path) as written:
        assert written.size == picture.size
        assert np.array_equal(np.asarray(written), np.asarray(picture))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"choose": "best"}, "worst, median, random"),
        ({"queries": 0}, "queries"),
        ({"k": 0}, "k = 0"),
    ],
)
def test_wrong_choices_of_rank_lists(model, people_folder, wrong, words):
    data = apnet.load_dataset("market1501", people_folder)
    with pytest.raises(ConfigError, match=words):
        apnet.plot_ranks(model, data, **wrong)


def test_rank_lists_need_something_to_rank(model):
    with pytest.raises(TypeError, match="data set"):
        apnet.plot_ranks(model)


def test_the_command_finds_draws_and_prints(run, crops, weights, tmp_path):
    out = tmp_path / "found.png"
    arguments = ("search", crops / "0.png", "--in", crops, "--checkpoint", weights)
    code, text, _ = run(*arguments, "--k", 2, "--out", out)
    assert code == 0
    assert len(text.splitlines()) == 2
    assert out.is_file()
    code, text, _ = run(*arguments, "--json")
    assert code == 0
    assert '"similarity"' in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("none.png", "--in", "."), "none.png"),
        (("{crop}", "--in", "nowhere"), "nowhere"),
        (("{crop}", "--in", "{crops}", "--k", "0"), "k"),
        (("{crop}", "--in", "{crops}", "--out", "found.txt"), "png"),
    ],
)
def test_the_command_refuses_in_a_line(run, crops, weights, arguments, words):
    named = [each.format(crop=crops / "0.png", crops=crops) for each in arguments]
    code, _, err = run("search", *named, "--checkpoint", weights)
    assert code == 2
    assert words in err
    assert "Traceback" not in err


def test_evaluate_draws_the_worst_the_median_and_random_ones(run, weights, people_folder, tmp_path):
    source = f"market1501={people_folder}"
    code, _, err = run(
        "evaluate", weights, "--data", source, "--pictures", tmp_path / "ranks", "--device", "cpu"
    )
    assert code == 0, err
    names = sorted(path.name for path in (tmp_path / "ranks").iterdir())
    assert names == ["median.png", "random.png", "worst.png"]
    code, _, err = run(
        *("evaluate", weights, "--data", source, "--pictures", tmp_path, "--rerank", "4,2,0.3")
    )
    assert code == 2
    assert "--rerank" in err
