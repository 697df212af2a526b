"""Every route: what it answers, what it refuses, and what it does not tell."""

import json

import numpy as np
import pytest
from uploads import picture, upload

from gallery.pictures import pixels


def test_features_are_those_of_the_network(client, served):
    found = client.post("/v1/embed", files=upload(0, 5)).json()
    assert found["fingerprint"] == served.facts.fingerprint
    expected = served.model.embed([pixels(0), pixels(5)]).features
    assert np.abs(np.array(found["features"]) - expected).max() < 1e-6


def test_boxes_of_a_frame(client, served):
    boxes = [[0, 0, 10, 20], [5, 5, 20, 40]]
    form = {"boxes": json.dumps(boxes)}
    found = client.post("/v1/embed", files=upload(3), data=form).json()
    expected = served.model.embed(pixels(3), boxes=boxes).features
    assert np.abs(np.array(found["features"]) - expected).max() < 1e-6


def test_search_says_who_it_is(client):
    found = client.post("/v1/search", files=upload(1), data={"threshold": "0.999"}).json()[0]
    assert (found["decision"], found["matches"][0]["camera"]) == ("ann", "door")
    assert "secret" not in json.dumps(found)
    other = {"threshold": "0.999", "not_camera": ["door"]}
    assert client.post("/v1/search", files=upload(1), data=other).json()[0]["decision"] != "ann"


def test_search_without_a_threshold_uses_the_calibration(client):
    found = client.post("/v1/search", files=upload(1)).json()[0]
    assert found["threshold"] is not None
    assert found["matches"][0]["probability"] is not None


def test_compare(client):
    files = [("first", ("a", picture(1))), ("second", ("b", picture(1)))]
    found = client.post("/v1/compare", files=files, data={"fmr": "0.1"}).json()
    assert found["similarity"] == pytest.approx(1)
    assert found["same"] is True


def test_enrol_rename_merge_erase(client, served):
    added = client.post("/v1/enrol", files=upload(7), data={"name": "cem", "time": "12"}).json()
    assert added == {"added": 1, "known": 0}
    again = client.post("/v1/enrol", files=upload(7), data={"name": "cem"}).json()
    assert again == {"added": 0, "known": 1}
    client.post("/v1/rename", data={"name": "cem", "new_name": "a/../b"}).raise_for_status()
    shown = client.get("/v1/identity", params={"name": "a/../b"}).json()
    assert shown == {"name": "a/../b", "images": 1, "cameras": [], "metadata": {}}
    merged = client.post("/v1/merge", data={"name": "a/../b", "into": "bob"}).json()
    assert merged == {"images": 1}
    assert [each["name"] for each in client.get("/v1/identities").json()] == ["ann", "bob"]
    assert client.delete("/v1/identity", params={"name": "bob"}).json() == {"images": 2}
    assert [each.name for each in served.identities()] == ["ann"]
    log = client.get("/v1/log").json()
    assert [line["action"] for line in log][-2:] == ["merge", "erase"]
    assert "bob" not in json.dumps(log)


def test_stats_health_and_metrics(client):
    stats = client.get("/v1/stats").json()
    assert (stats["identities"], stats["images"], stats["calibrated"]) == (2, 3, True)
    assert client.get("/health").json() == {"status": "alive"}
    assert client.get("/ready").json() == {"status": "ready"}
    text = client.get("/metrics").text
    assert 'apnet_requests_total{route="/v1/stats",status="200"} 1.0' in text


@pytest.mark.parametrize(
    ("path", "form", "status", "told"),
    [
        ("/v1/search", {"k": "0"}, 422, "greater"),
        ("/v1/search", {"fmr": "2"}, 422, "less"),
        ("/v1/search", {"by": "worst"}, 422, "best"),
        ("/v1/search", {"after": "yesterday"}, 409, "no time"),
        ("/v1/search", {"fmr": "0.1", "threshold": "0.1"}, 400, "not both"),
        ("/v1/embed", {"boxes": "[[1,2,3]]"}, 400, "boxes"),
        ("/v1/embed", {"boxes": "[" * 5000}, 400, "boxes"),
        ("/v1/embed", {"boxes": "[[1e999,0,1,1]]"}, 400, "boxes"),
        ("/v1/embed", {"boxes": "[[NaN,0,1,1]]"}, 400, "boxes"),
        ("/v1/embed", {"boxes": str([[0, 0, 1, 1]] * 100)}, 400, "1 to 64"),
        ("/v1/enrol", {"name": "a\x00b"}, 409, "printed"),
        ("/v1/enrol", {"name": "x" * 201}, 422, "200"),
        ("/v1/enrol", {"name": "ann", "time": "2026-01-01T00:00:00"}, 409, "zone"),
        ("/v1/rename", {"name": "nobody", "new_name": "x"}, 404, "no such identity"),
        ("/v1/rename", {"name": "ann", "new_name": "bob"}, 409, "there already"),
        ("/v1/merge", {"name": "ann", "into": "ann"}, 409, "ann"),
    ],
)
def test_wrong_values(client, served, path, form, status, told):
    answer = client.post(
        path, data=form, files=upload(5) if "name" not in form or path.endswith("enrol") else None
    )
    assert (answer.status_code, told in answer.text) == (status, True), answer.text
    assert str(served.place) not in answer.text
    assert len(served) == 3


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xd8\xff\xe0 cut", b"%!PS-Adobe-3.0 EPSF-3.0", b"<svg/>", b"GIF89a" + bytes(99)],
)
def test_what_is_no_picture(client, data):
    answer = client.post("/v1/embed", files=[("pictures", ("a.png", data, "image/png"))])
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("picture 1: ")


def test_an_unknown_path_and_method(client):
    assert client.get("/v1/nothing").status_code == 404
    assert client.get("/v1/embed").status_code == 405
    assert client.get("/../../etc/passwd").status_code == 404
