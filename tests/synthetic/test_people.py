import concurrent.futures.process
import dataclasses
import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from apnet.data import load_dataset
from apnet.errors import ConfigError, DataError
from apnet.synthetic import make_people, workers
from apnet.synthetic.people.population import draw_population
from apnet.synthetic.world.plan import Counts, plan_visits
from apnet.synthetic.world.settings import WORLD

SMALL = {"ids": 6, "images_per_id": 6, "seed": 5, "cameras": 3, "size": (64, 32)}


def digests(root):
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    root = tmp_path_factory.mktemp("synthetic") / "people"
    make_people(root, **SMALL, workers=0)
    return root


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image)


def lines_of(root):
    text = (root / "metadata.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_two_processes_give_the_same_bytes_as_one(people, tmp_path):
    make_people(tmp_path / "again", **SMALL, workers=2)
    assert digests(tmp_path / "again") == digests(people)


def test_another_seed_gives_other_pictures(people, tmp_path):
    make_people(tmp_path / "other", **{**SMALL, "seed": 6}, workers=0)
    ours, theirs = digests(people), digests(tmp_path / "other")
    shared = [name for name in ours if name.endswith(".jpg") and name in theirs]
    assert shared
    assert all(ours[name] != theirs[name] for name in shared)


def test_the_market_loader_reads_it(people):
    dataset = load_dataset("market1501", people)
    assert {record.pid for record in dataset.train} == {1, 2, 3}
    assert {record.pid for record in dataset.query} == {4, 5, 6}
    assert {record.pid for record in dataset.gallery} == {4, 5, 6}
    assert len(dataset.train) == 18
    assert len(dataset.query) + len(dataset.gallery) == 18


def test_every_query_has_one_image_and_a_match_in_another_camera(people):
    dataset = load_dataset("market1501", people)
    asked = [(record.pid, record.camid) for record in dataset.query]
    assert len(set(asked)) == len(asked)
    for pid, camid in asked:
        others = [r.camid for r in dataset.gallery if r.pid == pid and r.camid != camid]
        assert others
        assert any((r.pid, r.camid) == (pid, camid) for r in dataset.gallery)


def test_images_have_the_size_asked_for_and_differ(people):
    paths = sorted((people / "bounding_box_train").glob("*.jpg"))
    pixels = [pixels_of(path) for path in paths]
    assert all(image.shape == (64, 32, 3) for image in pixels)
    assert len({image.tobytes() for image in pixels}) == len(pixels)
    assert min(image.std() for image in pixels) > 10


def test_metadata_tells_of_every_image_and_person(people):
    lines = lines_of(people)
    images = {line["image"]: line for line in lines if "image" in line}
    assert set(images) == {path.relative_to(people).as_posix() for path in people.rglob("*.jpg")}
    for name, line in images.items():
        assert name.split("/")[1].startswith(f"{line['pid']:04d}_c{line['camera']}s1_")
        assert 0 <= line["yaw"] < 2 * np.pi
        assert 0 <= line["occlusion"] <= 1
    assert [line["pid"] for line in lines if "look" in line] == [1, 2, 3, 4, 5, 6]
    assert all(
        set(line["cues"]) == {"coarse", "medium", "fine"} for line in lines if "look" in line
    )
    assert all(line["twin"] in ("coarse", "fine") for line in lines if "a" in line)


def test_an_interrupted_folder_goes_on_to_the_same_bytes(people, tmp_path):
    root = tmp_path / "interrupted"

    def stop_after_two_people(done, total):
        assert total == 36
        if done >= 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_people(root, **SMALL, workers=0, progress=stop_after_two_people)
    assert not (root / "metadata.jsonl").exists()
    finished = sorted(path.name for path in (root / ".metadata").iterdir())
    assert finished == ["0001.jsonl", "0002.jsonl"]
    seen = []
    make_people(root, **SMALL, workers=0, progress=lambda done, total: seen.append(done))
    assert seen == [12, 18, 24, 30, 36]
    assert digests(root) == digests(people)


def test_a_finished_folder_is_left_alone(people):
    before = {path: path.stat().st_mtime_ns for path in people.rglob("*.jpg")}
    summary = make_people(people, **SMALL, workers=0)
    assert {path: path.stat().st_mtime_ns for path in people.rglob("*.jpg")} == before
    assert (summary.people, summary.images, summary.train) == (6, 36, 18)
    assert summary.query + summary.gallery == 18
    assert "36 images of 6 synthetic people" in str(summary)


def test_a_folder_of_other_settings_is_refused(people):
    with pytest.raises(ConfigError, match="other settings"):
        make_people(people, **{**SMALL, "seed": 4}, workers=0)


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="not a set of synthetic people"):
        make_people(tmp_path, **SMALL, workers=0)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_damaged_manifest_is_named(tmp_path):
    (tmp_path / "settings.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"settings\.json: damaged"):
        make_people(tmp_path, **SMALL, workers=0)


@pytest.mark.parametrize(
    ("name", "value"),
    [("ids", 3), ("ids", 0), ("images_per_id", 3), ("cameras", 1), ("seed", -1), ("size", (8, 32))],
)
def test_a_number_out_of_range_is_named(tmp_path, name, value):
    said = "height" if name == "size" else name
    with pytest.raises(ConfigError, match=f"{said}: .* cannot be used; give"):
        make_people(tmp_path / "new", **{**SMALL, name: value}, workers=0)
    assert not (tmp_path / "new").exists()


def test_a_dead_process_is_told_with_its_remedy(tmp_path, monkeypatch):
    def died(future):
        raise concurrent.futures.process.BrokenProcessPool("died")

    monkeypatch.setattr(workers.Future, "result", died)
    with pytest.raises(DataError, match="workers=0"):
        make_people(tmp_path / "new", **SMALL, workers=2)


def test_no_two_people_of_a_group_look_alike_but_share_coarse_cues():
    groups = {}
    fine = dataclasses.replace(WORLD, coarse_twins=0.0)
    for person in draw_population(Counts((200, 0), (200, 0)), seed=1, world=fine):
        groups.setdefault(person.look.group, []).append(person)
    twins = [group for group in groups.values() if len(group) > 1]
    assert len(twins) > 50
    for group in twins:
        assert len({person.look for person in group}) == len(group)
        for cue in ("body", "skin", "top", "top_color", "bottom_color"):
            assert len({getattr(person.look, cue) for person in group}) == 1
        assert group[0].differs == ()
        for person in group:
            assert {other.look for other in group} - {person.look} <= set(person.twins)
            assert person.look not in person.twins
        assert all(1 <= len(person.differs) <= 2 for person in group[1:])
        assert len({person.split for person in group}) == 1


def test_people_stay_the_same_when_more_are_made():
    few, many = (draw_population(Counts((n, 0), (n, 0)), seed=3, world=WORLD) for n in (10, 30))
    assert few[:10] == many[:10]
    assert [person.look for person in few[10:]] == [person.look for person in many[30:40]]


def test_people_pass_two_cameras_or_more_at_least_twice_each():
    for visits in plan_visits(Counts((25, 225), (25, 225)), cameras=6, seed=2):
        passed = [camera for camera, _ in visits.shots()]
        assert len(passed) == 9
        assert len(set(passed)) >= 2
        assert min(passed.count(camera) for camera in passed) >= 2
