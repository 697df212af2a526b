"""Pictures of one person and of many: what is on them, and how they fail."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from apnet.data.listing import Listing
from apnet.data.metadata import Metadata, PersonNotes, Twins, read_metadata
from apnet.data.pages import WIDTH, Block, Cell, Page, Section, wrapped, write_page
from apnet.data.registry import read_listing
from apnet.data.show import chosen_groups, show_people, show_person
from apnet.errors import ConfigError, DataError, ImageError
from apnet.types import ImageRecord

FOLDERS = {"bounding_box_train": (1, 2), "query": (3, 4, 5), "bounding_box_test": (3, 4, 5)}


def color_of(pid: int, camera: int) -> tuple[int, int, int]:
    return (pid * 45, camera * 60, 100)


@pytest.fixture
def market(tmp_path):
    """Five people in three cameras, each image of one colour that says who and where."""
    root = tmp_path / "market"
    for folder, pids in FOLDERS.items():
        (root / folder).mkdir(parents=True)
        for pid in pids:
            for camera in (1,) if folder == "query" else (1, 2, 3):
                number = camera + 10 * (folder == "query")
                path = root / folder / f"{pid:04d}_c{camera}s1_{number:06d}_00.png"
                Image.new("RGB", (16, 32), color_of(pid, camera)).save(path)
    return root


def write_lines(root: Path, *lines: dict) -> None:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (root / "metadata.jsonl").write_text(text)


def person_line(pid: int, group: int, *differs: str) -> dict:
    cues = {"coarse": ["red coat"], "medium": [], "fine": ["beard"]}
    look = {"group": group}
    return {"pid": pid, "split": "test", "differs": differs, "look": look, "cues": cues}


def colors_in(path: Path) -> set[tuple[int, int, int]]:
    with Image.open(path) as image:
        return {color for _, color in image.convert("RGB").getcolors(1 << 20)}


@pytest.fixture
def pages(monkeypatch):
    """The pages that are handed over to be drawn."""
    seen = []
    monkeypatch.setattr("apnet.data.show.write_page", lambda page, out: seen.append(page))
    return seen


class TestPerson:
    def test_every_camera_is_on_the_picture_and_nobody_else(self, market, tmp_path):
        show_person(read_listing("market1501", market), 4, tmp_path / "4.png")
        colors = colors_in(tmp_path / "4.png")
        for camera in (1, 2, 3):
            assert color_of(4, camera) in colors
            assert color_of(5, camera) not in colors

    def test_without_metadata_images_stand_by_camera(self, market, pages):
        show_person(read_listing("market1501", market), 4, Path("4.png"))
        (section,) = pages[0].sections
        assert [block.title for block in section.blocks] == ["camera 1", "camera 2", "camera 3"]
        assert [len(block.cells) for block in section.blocks] == [2, 1, 1]
        assert pages[0].facts == (("split", "test (1 query, 3 gallery images)"),)

    def test_facts_of_person_and_images(self, market, pages):
        image = {
            **{"image": "bounding_box_test/0004_c2s1_000002_00.png", "pid": 4, "camera": 2},
            **{"yaw": 3.1, "occlusion": 0.21, "truncation": 0.001, "pixels": 97},
            **{"place": "street", "weather": "clear", "light": "sun", "changes": ["bag"]},
        }
        write_lines(market, person_line(4, 1), image)
        show_person(read_listing("market1501", market), 4, Path("4.png"))
        assert pages[0].facts[1:] == (("coarse", "red coat"), ("fine", "beard"))
        second = pages[0].sections[0].blocks[1]
        assert second.title == "camera 2: street, clear, sun"
        assert second.cells[0].lines == ("back, 97 px", "21% hidden", "changed: bag")

    def test_twins_by_pair_lines(self, market, pages):
        pair = {"a": 3, "b": 5, "twin": "fine", "differs": ["shoes"]}
        write_lines(market, person_line(3, 1), person_line(4, 2), person_line(5, 1), pair)
        show_person(read_listing("market1501", market), 5, Path("5.png"))
        own, twin = pages[0].sections[0].blocks
        assert own.title == "Person 5"
        assert (twin.title, twin.cells[0].lines) == ("3, fine", ("shoes",))
        assert twin.cells[0].path.name.startswith("0003")

    def test_the_thumbnail_of_a_twin_is_the_clearest_image(self, market, pages):
        names = [f"bounding_box_test/0003_c{camera}s1_00000{camera}_00.png" for camera in (1, 2, 3)]
        views = [(0.0, 0.8), (0.0, 0.1), (3.1, 0.0)]  # yaw and occlusion
        query = {"image": "query/0003_c1s1_000011_00.png", "yaw": 0.0, "occlusion": 0.9}
        write_lines(
            market,
            *(
                {"image": name, "yaw": yaw, "occlusion": hidden, "pixels": 100}
                for name, (yaw, hidden) in zip(names, views, strict=True)
            ),
            *(query, {"a": 3, "b": 5, "twin": "fine"}),
        )
        show_person(read_listing("market1501", market), 5, Path("5.png"))
        assert pages[0].sections[0].blocks[1].cells[0].path == market / names[1]

    def test_nobody_of_that_pid(self, market, tmp_path):
        with pytest.raises(ConfigError, match="no image has pid 77; pids go from 1 to 5"):
            show_person(read_listing("market1501", market), 77, tmp_path / "77.png")

    def test_a_damaged_image_is_named_and_nothing_is_written(self, market, tmp_path):
        broken = next((market / "query").glob("0004*"))
        broken.write_bytes(b"no image")
        with pytest.raises(ImageError, match=broken.name):
            show_person(read_listing("market1501", market), 4, tmp_path / "4.png")
        assert not (tmp_path / "4.png").exists()

    def test_images_outside_the_root_of_a_table(self, market, tmp_path, pages):
        path = market / "query" / "0004_c1s1_000011_00.png"
        table = Listing(tmp_path / "list.csv", (), (ImageRecord(path, 4),), ())
        (tmp_path / "list.csv").write_text("")
        show_person(table, 4, tmp_path / "4.png")
        assert pages[0].sections[0].blocks[0].title == "camera unknown"


class TestPeople:
    def test_a_row_a_person_and_twins_below_each_other(self, market, pages):
        pair = {"a": 2, "b": 5, "twin": "coarse", "differs": ["top colour"]}
        write_lines(market, person_line(1, 0), person_line(2, 1), person_line(5, 1), pair)
        show_people(read_listing("market1501", market), Path("s.png"), 5, 2)
        titles = [section.blocks[0].title for section in pages[0].sections]
        assert titles == [
            *("Person 1: red coat", "Person 2: red coat"),
            *("Person 5, coarse twin of 2: top colour", "Person 3", "Person 4"),
        ]
        assert pages[0].heading == "5 of 5 people"

    def test_images_are_of_as_many_cameras_as_possible(self, market, pages):
        show_people(read_listing("market1501", market), Path("s.png"), 5, 3)
        cameras = [cell.lines for cell in pages[0].sections[3].blocks[0].cells]
        assert cameras == [("camera 1",), ("camera 2",), ("camera 3",)]

    def test_false_detections_are_nobody(self, market, pages):
        for camera in (1, 2):
            name = f"0000_c{camera}s1_000000_00.png"
            Image.new("RGB", (16, 32)).save(market / "bounding_box_test" / name)
        listing = read_listing("market1501", market)
        show_people(listing, Path("s.png"))
        assert "Person 0" not in [section.blocks[0].title for section in pages[0].sections]
        show_person(listing, 0, Path("0.png"))
        assert len(pages[1].sections[0].blocks) == 2

    def test_no_images(self, tmp_path):
        with pytest.raises(DataError, match="no images"):
            show_people(Listing(tmp_path, (), (), ()), tmp_path / "s.png")

    @given(
        count=st.integers(1, 40),
        persons=st.integers(1, 30),
        sizes=st.lists(st.integers(1, 4), min_size=40),
    )
    def test_choice_keeps_groups_together_and_fits(self, count, persons, sizes):
        groups = [group for group, size in enumerate(sizes) for _ in range(size)]
        people = {
            pid: PersonNotes("test", group, (), {})
            for pid, group in zip(range(1, count + 1), groups, strict=False)
        }
        chosen = chosen_groups(list(people), Metadata(people), persons)
        shown = [pid for group in chosen for pid in group]
        assert 1 <= len(shown) <= persons
        assert shown == sorted(set(shown))
        for group in chosen:
            assert len({people[pid].group for pid in group}) == 1
        if persons >= count:
            assert shown == list(people)

    def test_choice_is_spread_over_the_pids(self):
        chosen = chosen_groups(range(100), Metadata(), 4)
        assert chosen == [[0], [25], [50], [75]]

    def test_pairs_in_a_chain_show_everybody_once(self):
        chain = [Twins((1, 2), "fine", ()), Twins((2, 3), "fine", ())]
        assert chosen_groups([1, 2, 3], Metadata(pairs=chain), 9) == [[1, 2], [3]]


class TestMetadata:
    @pytest.mark.parametrize(
        "damaged",
        [
            *('{"pid": 2', "[]", "3", '{"pid": "x"}', '{"split": "train"}'),
            *('{"pid": 2, "differs": "a"}', '{"pid": 1, "cues": [1]}'),
            *('{"image": "x", "yaw": []}', '{"a": 1, "twin": "fine"}'),
            *('{"pid": -1}', '{"pid": 2147483648}', '{"pid": 1e999}', '{"pid": NaN}'),
            '{"pid": 1, "look": ' + "[" * 100_000 + "]" * 100_000 + "}",
            '{"image": "x", "occlusion": 1.5}',
            '{"image": "x", "pixels": 1e30}',
            '{"image": "x", "changes": ["' + "a" * 5000 + '"]}',
            '{"image": "x", "place": ["street"]}',
        ],
    )
    def test_a_damaged_line_is_named(self, tmp_path, damaged):
        (tmp_path / "metadata.jsonl").write_text(f'{{"pid": 1}}\n{damaged}\n{{"pid": 3}}\n')
        with pytest.raises(DataError, match=r"line 2: damaged.*; make the set again"):
            read_metadata(tmp_path)

    def test_text_that_is_not_utf8(self, tmp_path):
        (tmp_path / "metadata.jsonl").write_bytes(b"\xff\xfe")
        with pytest.raises(DataError, match="no UTF-8 text; save"):
            read_metadata(tmp_path)

    @pytest.mark.parametrize(
        ("yaw", "view"),
        [(0.0, "front"), (6.2, "front"), (1.6, "side"), (4.7, "side"), (3.1, "back")],
    )
    def test_view_is_a_quarter_of_the_circle(self, tmp_path, yaw, view):
        write_lines(tmp_path, {"image": "x", "yaw": yaw})
        assert read_metadata(tmp_path).images["x"].view == view

    def test_groups_make_twins_where_there_are_no_pairs(self, tmp_path):
        write_lines(tmp_path, person_line(1, 7), person_line(2, 7, "bag"), person_line(3, 8))
        metadata = read_metadata(tmp_path)
        assert metadata.twins_of(1) == {2: Twins((1, 2), "", ("bag",))}
        assert metadata.twins_of(3) == {}
        assert metadata.twins_of(99) == {}

    def test_what_a_line_leaves_out_is_unknown(self, tmp_path):
        write_lines(tmp_path, {"image": "x"}, {"pid": 1})
        metadata = read_metadata(tmp_path)
        assert metadata.images["x"].view is None
        assert metadata.images["x"].pixels is None
        assert metadata.people[1].cues == {}


class TestPages:
    @given(st.lists(st.text("abcdef", min_size=1, max_size=9)), st.integers(60, 300))
    def test_wrapping_keeps_the_words_in_order(self, words, width):
        assert " ".join(wrapped(" ".join(words), width, 12)).split() == words

    def test_wrapping_breaks_where_it_must(self):
        assert wrapped("one two", 1000, 12) == ["one two"]
        assert wrapped("one two", 5, 12) == ["one", "two"]

    def test_many_pictures_wrap_and_none_is_lost(self, tmp_path):
        cells = []
        for index in range(23):
            path = tmp_path / f"{index}.png"
            Image.new("RGB", (10, 20), (index * 10, 7, 200)).save(path)
            cells.append(Cell(path, (f"number {index}",)))
        page = Page("many", (), (Section("all", (Block("one block", tuple(cells)),)),))
        write_page(page, tmp_path / "page.png")
        assert {(index * 10, 7, 200) for index in range(23)} <= colors_in(tmp_path / "page.png")
        with Image.open(tmp_path / "page.png") as image:
            assert image.width == WIDTH
            assert image.height > 3 * 192

    def test_pictures_keep_their_shape(self, tmp_path):
        Image.new("RGB", (40, 10), "red").save(tmp_path / "wide.png")
        page = Page("", (), (Section("", (Block("wide", (Cell(tmp_path / "wide.png"),)),)),))
        write_page(page, tmp_path / "page.png")
        with Image.open(tmp_path / "page.png") as image:
            red = sum(count for count, color in image.getcolors(1 << 20) if color == (255, 0, 0))
        assert red == 96 * 24

    @pytest.mark.parametrize("name", ["a", "a.gif", "a.eps", ".png"])
    def test_other_endings_are_refused(self, tmp_path, name):
        with pytest.raises(ConfigError, match=r"name a file that ends in \.png"):
            write_page(Page("empty", (("fact", "text"),), ()), tmp_path / name)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(("name", "form"), [("a.jpg", "JPEG"), ("a.png", "PNG")])
    def test_format_by_ending(self, tmp_path, name, form):
        write_page(Page("empty", (("fact", "text"),), ()), tmp_path / name)
        with Image.open(tmp_path / name) as image:
            assert image.format == form
