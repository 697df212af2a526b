"""The service as a program: it says where it is, answers, and ends after what has begun."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import httpx
import pytest
from uploads import upload

import apnet
from gallery.pictures import pixels


@pytest.fixture
def place(tmp_path, model):
    with apnet.Gallery.create(tmp_path / "people.gallery", model=model.path) as gallery:
        gallery.add(pixels(0), "ann")
    return tmp_path / "people.gallery"


@pytest.fixture
def program(place):
    command = [sys.executable, "-m", "apnet", "serve", place, "--port", "0", "--device", "cpu"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()
    process.stderr.close()


def address(process):
    return re.search(r"http://[\d.]+:\d+", process.stderr.readline())[0]


@pytest.mark.skipif(os.name != "posix", reason="SIGTERM")
def test_it_answers_what_has_begun_and_ends(program):
    where = address(program)
    codes = []

    def search():
        codes.append(httpx.post(f"{where}/v1/search", files=upload(*range(40))).status_code)

    assert httpx.get(f"{where}/health").json() == {"status": "alive"}
    asking = threading.Thread(target=search)
    asking.start()
    time.sleep(0.1)
    program.send_signal(signal.SIGTERM)
    asking.join()
    assert program.wait(20) in (0, -signal.SIGTERM)
    assert codes == [200]
    lines = [json.loads(line) for line in program.stderr.read().splitlines()]
    assert [line["route"] for line in lines] == ["/health", "/v1/search"]
    assert not any("ann" in json.dumps(line) for line in lines)


def test_a_port_that_is_taken(program, place):
    port = address(program).rsplit(":", 1)[1]
    command = [sys.executable, "-m", "apnet", "serve", place, "--port", port, "--device", "cpu"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: --host 127.0.0.1 --port {port}: cannot be used")
    assert len(done.stderr.splitlines()) == 1


def test_an_open_address_needs_keys(place, tmp_path):
    command = [sys.executable, "-m", "apnet"]
    done = subprocess.run(
        [*command, "serve", place, "--host", "0.0.0.0"], capture_output=True, text=True
    )
    assert (done.returncode, "keys are needed" in done.stderr) == (2, True)
    made = subprocess.run(
        [*command, "serve-key", tmp_path / "k.json", "me"], capture_output=True, text=True
    )
    assert made.returncode == 0
    assert len(made.stdout.strip()) == 43
