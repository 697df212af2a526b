"""Kills programs that use a gallery at random moments, and lets several use one at once.

``scripts/gallery-drill`` runs it at full length; ``test_durability`` runs a short one.
"""

import argparse
import contextlib
import itertools
import multiprocessing
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psycopg
from psycopg import sql

from apnet.errors import ApnetError
from apnet.gallery import Gallery
from apnet.gallery.adding import BATCH
from gallery.pictures import pixels, write_network
from gallery.postgres_server import running_server

DIM = 128
PICTURES = 200
PRELOADED = [
    "apnet.gallery.gallery",
    "apnet.gallery.engines.sqlite",
    "apnet.gallery.engines.postgres",
    "pgvector.psycopg",
    "psycopg_pool",
]


def context():
    """Returns how processes are started: from one that has read the package already."""
    chosen = multiprocessing.get_context("forkserver")
    chosen.set_forkserver_preload(PRELOADED)
    return chosen


def batch_features(writer, number):
    """Returns the 64 features of a batch, the same whenever it is asked for."""
    return np.random.default_rng([writer, number]).standard_normal((BATCH, DIM)).astype(np.float32)


def batch_name(writer, number):
    return f"writer {writer} batch {number}"


def make(place, people=0):
    """Makes a gallery with some identities of one batch each."""
    with Gallery.create(place, feature_dim=DIM) as gallery:
        for number in range(people):
            gallery.add_features(batch_features(0, number), batch_name(0, number))


def acknowledge(log, number):
    """Notes that a call has returned, so that it survives the program."""
    os.write(log, f"{number}\n".encode())


def acknowledged(path):
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def add_for_ever(place, log_path, writer, first):
    log = os.open(log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    with Gallery(place) as gallery:
        for number in itertools.count(first):
            gallery.add_features(batch_features(writer, number), batch_name(writer, number))
            acknowledge(log, number)


def erase_for_ever(place, log_path, writer, first):
    log = os.open(log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    with Gallery(place) as gallery:
        for number in range(first, first + len(gallery.identities())):
            gallery.erase(batch_name(writer, number))
            acknowledge(log, number)
        time.sleep(3600)  # all are erased before the kill


def re_embed_for_ever(place, log_path, writer, first):
    log = os.open(log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    with Gallery(place, notify=lambda _: None) as gallery:
        model = gallery.model
        acknowledge(log, first)  # the kill may come at any moment from here on
        gallery.re_embed(renewed(place), model)
    acknowledge(log, first + 1)
    time.sleep(3600)


def renewed(place):
    """Returns the place of the new gallery, beside the old one."""
    return f"{place}_new"


ACTIONS = {"add": add_for_ever, "erase": erase_for_ever, "re-embed": re_embed_for_ever}


def kill_once(place, action, log_path, first, seconds):
    """Starts a program, kills it some time after its first answer; returns what was answered."""
    log_path.unlink(missing_ok=True)
    process = context().Process(target=ACTIONS[action], args=(place, log_path, 0, first))
    process.start()
    while process.is_alive() and not acknowledged(log_path):
        time.sleep(0.001)
    time.sleep(random.uniform(0, seconds))
    alive = process.is_alive()
    process.kill()
    process.join()
    assert alive, f"the program ended by itself with {process.exitcode}"
    return acknowledged(log_path)


def identities(place):
    """Returns the number of images by identity, after the checks of a gallery."""
    with Gallery(place) as gallery:
        found = {each.name: each.images for each in gallery.identities()}
        assert gallery.verify() == []
        assert len(gallery) == sum(found.values())
    assert set(found.values()) <= {BATCH}, "half a batch is there"
    return found


def drill_add(place, folder, kills, seconds):
    """Kills ``add``; returns the batches that were answered and those that are there."""
    make(place)
    answered = 0
    for _ in range(kills):
        there = len(identities(place))
        done = kill_once(place, "add", folder / "log", there, seconds)
        assert done == list(range(there, there + len(done)))
        found = identities(place)
        wanted = {batch_name(0, number) for number in range(there + len(done))}
        assert wanted <= set(found), "something answered is lost"
        assert len(found) <= len(wanted) + 1, "more is there than was asked for"
        answered = len(wanted)
    with Gallery(place) as gallery:
        for number in range(0, answered, max(answered // 20, 1)):
            match = gallery.search(batch_features(0, number)[5]).matches[0]
            assert (match.name, round(match.similarity, 3)) == (batch_name(0, number), 1)
    return answered, len(found)


def drill_erase(place, folder, kills, seconds, people):
    """Kills ``erase``; returns the erasures that were answered and those that were done."""
    make(place, people)
    first, answered = 0, 0
    for _ in range(kills):
        done = kill_once(place, "erase", folder / "log", first, seconds)
        found = identities(place)
        erased = first + len(done)
        gone = {batch_name(0, number) for number in range(erased)}
        kept = {batch_name(0, number) for number in range(erased + 1, people)}
        assert not gone & set(found), "something erased is there"
        assert kept <= set(found), "something else is lost"
        first = people - len(found)
        answered += len(done)
    return answered, first


def drill_re_embed(place, folder, kills, seconds):
    """Kills ``re_embed`` until it is done, again and again; returns how often it was done."""
    network = write_network(folder / "network.safetensors")
    with Gallery.create(place, model=network, thumbnails=True) as gallery:
        for number in range(PICTURES):
            gallery.add(pixels(number), f"person {number % 10}")
    done = 0
    for _ in range(kills):
        answered = kill_once(place, "re-embed", folder / "log", 0, seconds)
        if len(answered) == 2:
            assert sum(pictures_of(renewed(place)).values()) == PICTURES
        assert sum(pictures_of(place).values()) == PICTURES
        if is_there(renewed(place)):
            assert pictures_of(renewed(place)) == pictures_of(place), "half of it is there"
            drop(renewed(place))
            done += 1
    return done


def pictures_of(place):
    """Returns the number of images by identity, after the checks of a gallery."""
    with Gallery(place) as gallery:
        assert gallery.verify() == []
        return {each.name: each.images for each in gallery.identities()}


def is_there(place):
    try:
        Gallery(place).close()
    except ApnetError:
        return False
    return True


def drop(place):
    """Removes a whole gallery."""
    if "://" not in place:
        for path in Path(place).parent.glob(f"{Path(place).name}*"):
            path.unlink()
        return
    address, _, schema = place.partition("#")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


# several programs at once


def write_until(place, seconds, writer, start, counts):
    """Adds batches and erases some; puts the numbers of both into the queue."""
    added = erased = 0
    with Gallery(place) as gallery:
        start.wait()
        end = time.time() + seconds
        while time.time() < end:
            result = gallery.add_features(batch_features(writer, added), batch_name(writer, added))
            assert result.added == BATCH
            added += 1
            if added % 30 == 0:
                assert gallery.erase(batch_name(writer, added - 10)) == BATCH
                erased += 1
    counts.put((f"writer {writer}", added, erased))


def read_until(place, seconds, reader, start, counts):
    """Counts and searches; puts the number of looks into the queue."""
    looks = 0
    rng = np.random.default_rng(reader)
    with Gallery(place) as gallery:
        start.wait()
        end = time.time() + seconds
        while time.time() < end:
            assert len(gallery) % BATCH == 0
            assert {each.images for each in gallery.identities()} <= {BATCH}
            answer = gallery.search(rng.standard_normal(DIM), by=("best", "mean")[looks % 2])
            assert {match.images for match in answer} <= {BATCH}
            found = {each.name for each in gallery.identities()}
            if batch_name(1, 0) in found:
                match = gallery.search(batch_features(1, 0)[7]).matches[0]
                assert (match.name, round(match.similarity, 3)) == (batch_name(1, 0), 1)
            looks += 1
    counts.put((f"reader {reader}", looks, 0))


def drill_together(place, seconds):
    """Lets two programs write and two read; returns what each did, and the batches there."""
    make(place)
    counts, start = context().Queue(), context().Barrier(4)
    started = [
        context().Process(target=target, args=(place, seconds, number, start, counts))
        for target, number in ((write_until, 1), (write_until, 2), (read_until, 3), (read_until, 4))
    ]
    for process in started:
        process.start()
    for process in started:
        process.join()
    assert [process.exitcode for process in started] == [0, 0, 0, 0]
    done = sorted(counts.get(timeout=5) for _ in started)
    there = identities(place)
    assert len(there) == sum(each[1] - each[2] for each in done if each[0].startswith("writer"))
    return done, len(there)


# the whole of it


@contextlib.contextmanager
def places():
    """Yields a function that names new places, by engine, and a folder."""
    with tempfile.TemporaryDirectory() as name, running_server(fsync=True) as server:
        numbers = itertools.count()

        def place(engine):
            number = next(numbers)
            if engine == "postgres":
                return f"{server.get_uri()}#drill_{number}"
            return f"{name}/{number}.gallery"

        yield place, Path(name)


def say(line):
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    wish = parser.parse_args()
    random.seed(wish.seed)
    say("| engine | drill | result |\n|---|---|---|")
    with places() as (place, folder):
        for engine in ("sqlite", "postgres"):
            answered, there = drill_add(place(engine), folder, wish.kills, 1.0)
            line = f"{answered} batches of {BATCH} answered, {there} there"
            say(f"| {engine} | {wish.kills} kills of add | {line} |")
            people = 40 * wish.kills
            answered, gone = drill_erase(place(engine), folder, wish.kills, 1.0, people)
            line = f"{answered} erasures answered, {gone} done"
            say(f"| {engine} | {wish.kills} kills of erase | {line} |")
            done = drill_re_embed(place(engine), folder, wish.kills, 0.8)
            line = f"{done} whole, the others not there"
            say(f"| {engine} | {wish.kills} kills of re-embed | {line} |")
            done, there = drill_together(place(engine), wish.seconds)
            line = "; ".join(
                f"{who}: {count}" + (f" added, {erased} erased" if "w" in who else " looks")
                for who, count, erased in done
            )
            drill = f"2 writers, 2 readers, {wish.seconds:g} s"
            say(f"| {engine} | {drill} | {line}; {there} batches there |")


if __name__ == "__main__":
    main()
