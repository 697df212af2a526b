import re
import sys
from html.parser import HTMLParser

import pytest
from report_parts import make_gallery, make_page, make_panel, make_system

from apnet.errors import DataError, MissingExtraError
from apnet.report import TrainingCurve, write_report
from apnet.report.templates import template

VOID = {"meta", "img", "path", "use", "rect", "br"}


class Outline(HTMLParser):
    """Collects tags with their attributes, the text, and whether tags nest properly."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.open, self.misnested = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.misnested.append(tag)

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture
def written(tmp_path):
    def write(page):
        path = tmp_path / "out" / "report.html"
        write_report(path, page)
        return path.read_text(encoding="utf-8")

    return write


@pytest.fixture
def full_page(noise_image):
    images = [noise_image(f"{i}.png") for i in range(3)]
    return make_page(
        galleries=[make_gallery(images[0], images * 4)],
        attention=[make_panel(0), make_panel(1)],
        facts=[("seed", "17")],
        notes=["One seed only."],
        ranked_by="APNet-C2",
        attention_method="Grad-CAM",
    )


def test_figures_stand_in_the_table_as_percentages(written):
    outline = Outline(written(make_page()))
    for figure in ("75.0", "37.5", "90.0", "20.0", "10.0", "40.0", "1 min 15 s"):
        assert figure in outline.text
    best = re.findall(r"<strong>(.*?)</strong>", written(make_page()))
    assert best[:3] == ["75.0", "37.5", "90.0"]


def test_equal_figures_are_both_best(written):
    systems = [make_system("a", "A", mAP=0.75001), make_system("b", "B", mAP=0.75)]
    assert written(make_page(systems=systems, curves=[])).count("<strong>75.0</strong>") == 2


def test_a_lone_system_is_not_called_best(written):
    assert "<strong>" not in written(make_page(systems=[make_system()]))


def test_every_part_is_there(written, full_page):
    outline = Outline(written(full_page))
    for phrase in (
        "Highest AP",
        "AP 65.4",
        "0.99",
        "ranked by APNet-C2",
        "Grad-CAM",
        "17",
        "person 9",
    ):
        assert phrase in outline.text
    assert "One seed only." in outline.text
    assert len(outline.all("img")) == 1 + 10 + 2 * (1 + 4 * 3)  # ten of twelve matches
    assert outline.text.count("level 2") == 4


def test_markup_is_well_formed_with_distinct_ids(written, full_page):
    outline = Outline(written(full_page))
    assert not outline.misnested
    assert not outline.open
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids)) > 10
    targets = [a[key] for _, a in outline.tags for key in a if key in ("href", "xlink:href")]
    assert targets
    assert {target.removeprefix("#") for target in targets} <= set(ids)


def test_right_and_wrong_differ_in_words_and_mark(written, full_page):
    outline = Outline(written(full_page))
    alternatives = [image["alt"] for image in outline.all("img")]
    assert "Rank 1, right: person 0" in alternatives
    assert "Rank 2, wrong: person 1" in alternatives
    marks = {path["d"] for path in outline.all("path") if path.get("d", "").startswith("M5.5")}
    assert len(marks) == 1  # the cross, beside the check mark
    assert any(path.get("d", "").startswith("M4.5") for path in outline.all("path"))


def test_empty_parts_leave_no_section(written):
    text = Outline(written(make_page(curves=[]))).text
    assert not re.search("Searches|Attention|How this was made|Limits|Training", text)


def test_nothing_is_fetched(written, full_page):
    html = written(full_page)
    assert "http:" not in html
    assert "https:" not in html
    assert not re.search(r"@import|<script|<link|<iframe|srcset", html)
    assert all(image["src"].startswith("data:image/jpeg;") for image in Outline(html).all("img"))
    assert set(re.findall(r"url\((.)", html)) <= {"#"}
    assert "default-src 'none'" in html


def test_links_in_text_stay_text(written):
    html = written(make_page(notes=["See https://example.org/<x>."]))
    assert "https://example.org/&lt;x&gt;" in html
    assert not Outline(html).all("a")


HOSTILE = "\"><script>alert(1)</script><img src=x onerror='y'>{{ 7*7 }}"


def test_hostile_names_are_text(written, noise_image, tmp_path):
    image = noise_image("a.png")
    missing = tmp_path / HOSTILE.replace("/", "-")
    gallery = make_gallery(missing, [image, missing], chosen=HOSTILE)
    page = make_page(
        title=HOSTILE,
        summary=HOSTILE,
        systems=[make_system(name=HOSTILE, model=HOSTILE, data={HOSTILE: [HOSTILE]})],
        curves=[TrainingCurve(HOSTILE, [1], [1.0]), TrainingCurve("$\\frac{", [1], [1.0])],
        galleries=[gallery],
        facts=[(HOSTILE, HOSTILE)],
        notes=[HOSTILE],
        ranked_by=HOSTILE,
    )
    outline = Outline(written(page))
    assert not outline.all("script")
    assert len(outline.all("img")) == 1
    assert not any("onerror" in attributes for _, attributes in outline.tags)
    assert "{{ 7*7 }}" in outline.text
    assert "$\\frac{" in outline.text


def test_a_name_that_is_not_unicode_does_not_stop_the_report(written, tmp_path):
    missing = tmp_path / "bad\udcff.jpg"
    assert "bad?.jpg" in written(make_page(galleries=[make_gallery(missing, [missing])]))


def test_an_unreadable_image_is_named_in_its_place_and_in_a_note(written, noise_image, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 not an image")
    html = written(make_page(galleries=[make_gallery(noise_image("a.png"), [broken, broken])]))
    assert html.count("<bdi>broken.jpg</bdi>") == 2
    assert "could not be read: broken.jpg." in html
    assert len(Outline(html).all("img")) == 1


def test_the_hardest_page_stays_below_three_megabytes(written, noise_image):
    image = noise_image("a.png")
    epochs = list(range(1, 50_001))
    page = make_page(
        galleries=[make_gallery(image, [image] * 10)] * 6,
        attention=[make_panel(seed) for seed in range(6)],
        curves=[TrainingCurve(name, epochs, [i % 7 for i in epochs]) for name in ("a", "b")],
    )
    assert 500_000 < len(written(page)) < 3_000_000


def test_a_failed_write_leaves_the_old_report(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DataError, match=r"report\.html.*free some space"):
        write_report(path, make_page())
    assert [item.name for item in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text() == "old"


@pytest.mark.parametrize("module", ["jinja2", "matplotlib.figure"])
def test_a_missing_extra_names_its_install_command(tmp_path, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'apnet-reid\[report\]'"):
        write_report(tmp_path / "report.html", make_page())
    assert not list(tmp_path.iterdir())


def test_same_content_gives_the_same_bytes(written, full_page):
    assert written(full_page) == written(full_page)


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_suffices_in_both_themes(written):
    themes = re.findall(r":root \{\s*(--paper.*?)\}", written(make_page()), re.S)[:2]
    assert len(themes) == 2
    for theme in themes:
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", theme))
        paper = colours["paper"]
        for name in ("ink", "quiet", "right", "wrong"):
            assert contrast(colours[name], paper) >= 4.5, name
        for i in range(6):
            assert contrast(colours[f"line-{i}"], paper) >= 3, i
        assert contrast(colours["ink"], colours["box"]) >= 4.5


def test_the_template_refuses_unknown_names():
    import jinja2

    with pytest.raises(jinja2.UndefinedError):
        template("report.html.j2", filters={"percent": str, "duration": str}).render()


@pytest.mark.shared
def test_real_crops_make_a_page(written, shared):
    crops = sorted((shared / "data/multiviewx/bounding_box_test").glob("*.jpg"))[:11]
    html = written(make_page(galleries=[make_gallery(crops[0], crops[1:])]))
    assert len(Outline(html).all("img")) == 11
    assert "could not be read" not in html
