"""Keys, limits, other sites, and requests that are more than the service takes."""

import io
import struct
import threading
import time
import zlib

import numpy as np
import pytest
from fastapi.testclient import TestClient
from uploads import picture, upload

from apnet.errors import ConfigError
from apnet.service import Limits, add_key, checked_keys, read_keys
from apnet.service.app import create_app
from apnet.service.batching import Batcher, BusyError
from apnet.service.rates import Rates


@pytest.fixture
def keys(tmp_path):
    """The texts of a key per role, and their file."""
    file = tmp_path / "keys.json"
    return {role: add_key(file, f"{role} key", role) for role in ("read", "enrol", "erase")}, file


def test_what_each_role_may(served, keys):
    texts, file = keys
    with TestClient(create_app(served, keys=read_keys(file))) as client:
        calls = {
            "read": lambda head: client.get("/v1/stats", headers=head),
            "enrol": lambda head: client.post(
                "/v1/rename", data={"name": "x", "new_name": "y"}, headers=head
            ),
            "erase": lambda head: client.delete("/v1/identity", params={"name": "x"}, headers=head),
        }
        for rank, role in enumerate(texts):
            head = {"Authorization": f"Bearer {texts[role]}"}
            allowed = [calls[each](head).status_code != 403 for each in texts]
            assert allowed == [place <= rank for place in range(3)]
        for head in ({}, {"Authorization": "Bearer x"}, {"Authorization": texts["read"]}):
            assert {call(head).status_code for call in calls.values()} == {401}
        assert client.get("/metrics").status_code == 401
        assert client.get("/openapi.json").status_code == 401
        assert client.get("/health").status_code == 200


def test_keys_are_kept_as_digests(keys):
    texts, file = keys
    assert not any(text in file.read_text() for text in texts.values())
    assert file.stat().st_mode & 0o077 == 0
    with pytest.raises(ConfigError, match="choose another name"):
        add_key(file, "read key", "read")
    with pytest.raises(ConfigError, match="use one of read, enrol, erase"):
        add_key(file, "other", "admin")


def test_others_can_only_reach_it_with_keys(tmp_path, keys):
    assert checked_keys("127.0.0.1", None) is None
    assert len(checked_keys("0.0.0.0", keys[1])) == 3
    with pytest.raises(ConfigError, match="keys are needed"):
        checked_keys("0.0.0.0", None)
    (tmp_path / "bad.json").write_text("[")
    with pytest.raises(ConfigError, match=r"bad\.json"):
        checked_keys("::1", tmp_path / "bad.json")


def test_pages_of_other_sites_are_refused(served):
    with TestClient(
        create_app(served, hosts=("localhost",)), base_url="http://localhost"
    ) as client:
        assert client.get("/v1/stats").status_code == 200
        assert client.get("/v1/stats", headers={"Host": "evil.example"}).status_code == 421
        assert client.get("/v1/stats", headers={"Origin": "http://evil.example"}).status_code == 403
        assert client.get("/v1/stats", headers={"Origin": "null"}).status_code == 403
        assert client.get("/v1/stats", headers={"Origin": "http://localhost"}).status_code == 200


def small(served, **limits):
    return TestClient(create_app(served, limits=Limits(**limits)))


def test_a_large_body(served):
    with small(served, body_bytes=1_000) as client:
        assert client.post("/v1/embed", files=upload(1)).status_code == 413

        def parts():
            yield b'--x\r\nContent-Disposition: form-data; name="pictures"; filename="a"\r\n\r\n'
            for _ in range(100):
                yield bytes(100)

        head = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = client.post("/v1/embed", content=parts(), headers=head)  # without a length
        assert (answer.status_code, answer.json()["detail"]) == (
            413,
            "the request is larger than 1,000 bytes",
        )


def bomb(width, height):
    """A PNG whose header claims a size that its data do not have."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1_000_000)))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("side", "told"),
    [(5_000, "5000 x 5000 pixels are more than 16,000,000"), (60_000, "exceeds limit")],
)
def test_a_picture_of_many_pixels_is_not_decoded(client, side, told):
    file = ("pictures", ("a.png", bomb(side, side)))
    answer = client.post("/v1/embed", files=[file])
    assert answer.status_code == 400
    assert told in answer.json()["detail"]


def test_too_many_pictures(served):
    with small(served, pictures=2) as client:
        assert client.post("/v1/embed", files=upload(1, 2, 3)).status_code == 400


def test_too_many_requests(served):
    with small(served, requests_per_minute=3) as client:
        codes = [client.get("/v1/stats").status_code for _ in range(5)]
        assert codes == [200, 200, 200, 429, 429]
        assert int(client.get("/v1/stats").headers["Retry-After"]) >= 1


def test_tokens_come_back():
    rates = Rates(6_000)
    for _ in range(6_000):
        rates.wait("a")
    assert rates.wait("b") == 0
    time.sleep(0.05)
    assert rates.wait("a") == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"--x", b"--x\r\n\r\n--x--", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--"],
)
def test_a_malformed_form(client, body):
    head = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.post("/v1/embed", content=body, headers=head).status_code in (400, 422)


def test_a_fault_tells_nothing(served, monkeypatch, caplog):
    with TestClient(create_app(served), raise_server_exceptions=False) as client:
        monkeypatch.setattr(served, "stats", lambda: 1 / 0)
        answer = client.get("/v1/stats")
        assert answer.status_code == 500
        assert "division" not in answer.text
    assert "ZeroDivisionError" in caplog.text


def test_requests_of_several_threads_go_together():
    sizes, gate = [], threading.Event()

    def embed(pictures):
        gate.wait()
        return np.array(pictures, np.float32)

    batcher = Batcher(embed, Limits(batch=64, batch_wait=0.2), sizes.append)
    found = {}
    threads = [
        threading.Thread(target=lambda n=n: found.update({n: batcher.embed([[n], [n + 0.5]])}))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join()
    assert {n: rows.tolist() for n, rows in found.items()} == {
        n: [[n], [n + 0.5]] for n in range(8)
    }
    assert sum(sizes) == 16
    assert len(sizes) <= 4
    batcher.close()


def test_a_request_that_waits_too_long_is_told():
    go_on = threading.Event()

    def embed(pictures):
        go_on.wait()
        return np.array(pictures, np.float32)

    batcher = Batcher(embed, Limits(seconds=0.05), lambda _: None)
    with pytest.raises(BusyError):
        batcher.embed([[0]])
    go_on.set()
    batcher.close()


def test_an_error_reaches_its_own_client():
    def embed(_):
        raise ValueError("broken")

    batcher = Batcher(embed, Limits(), lambda _: None)
    with pytest.raises(ValueError, match="broken"):
        batcher.embed([[0]])
    batcher.close()


def test_searches_while_others_erase_and_enrol(client):
    codes, stop = [], threading.Event()

    def search():
        while not stop.is_set():
            codes.append(client.post("/v1/search", files=upload(0)).status_code)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(10):
        client.post(
            "/v1/enrol", files=upload(100 + number), data={"name": "zoe"}
        ).raise_for_status()
        client.delete("/v1/identity", params={"name": "zoe"}).raise_for_status()
    stop.set()
    for thread in threads:
        thread.join()
    assert set(codes) == {200}


def test_pictures_of_every_kind_that_the_package_reads(client):
    for kind in ("JPEG", "PNG", "BMP", "TIFF", "WEBP"):
        file = ("pictures", ("a", io.BytesIO(picture(1, kind))))
        assert client.post("/v1/embed", files=[file]).status_code == 200
