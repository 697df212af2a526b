import hashlib
import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apnet.data import PKBatches
from apnet.errors import ConfigError

labels_strategy = st.lists(st.integers(0, 12), min_size=1, max_size=120)


@st.composite
def samplers(draw):
    labels = draw(labels_strategy)
    identities = draw(st.integers(1, len(set(labels))))
    images = draw(st.integers(2 if identities == 1 else 1, 5))
    return PKBatches(labels, identities, images, draw(st.integers(0, 2**31))), labels


@settings(max_examples=150, deadline=None)
@given(samplers(), st.integers(0, 500))
def test_batches_are_p_identities_with_k_images_each(made, epoch):
    sampler, labels = made
    batches = sampler.batches(epoch)
    assert batches
    for batch in batches:
        groups = [
            batch[first : first + sampler.images_per_identity]
            for first in range(0, len(batch), sampler.images_per_identity)
        ]
        people = [{labels[index] for index in group} for group in groups]
        assert all(len(person) == 1 for person in people)
        assert len(set.union(*people)) == len(groups) == sampler.identities_per_batch


@settings(max_examples=150, deadline=None)
@given(samplers(), st.integers(0, 500))
def test_an_epoch_repeats_images_only_of_people_with_few(made, epoch):
    sampler, labels = made
    owned = Counter(labels)
    drawn = Counter(index for batch in sampler.batches(epoch) for index in batch)
    for index, times in drawn.items():
        assert times == 1 or owned[labels[index]] < sampler.images_per_identity
    chunks = Counter()
    for index, times in drawn.items():
        chunks[labels[index]] += times
    finished = 0
    for label, images in owned.items():
        most = max(1, images // sampler.images_per_identity) * sampler.images_per_identity
        assert chunks[label] <= most
        finished += chunks[label] == most
    assert (
        len(owned) - finished < sampler.identities_per_batch
    )  # fewer than P people have a chunk left


@settings(max_examples=60, deadline=None)
@given(samplers(), st.integers(0, 500))
def test_an_epoch_is_a_function_of_seed_and_epoch(made, epoch):
    sampler, labels = made
    sampler.batches(epoch + 7)
    again = PKBatches(
        labels, sampler.identities_per_batch, sampler.images_per_identity, sampler.seed
    )
    assert again.batches(epoch) == sampler.batches(epoch)


@settings(max_examples=60, deadline=None)
@given(labels_strategy, st.integers(1, 3), st.integers(1, 4), st.integers(0, 99))
def test_the_shares_of_all_ranks_are_the_batch(labels, part, world, epoch):
    if len(set(labels)) < part * world:
        return
    sampler = PKBatches(labels, part * world, 4, 1)
    shares = [sampler.share(epoch, rank, world) for rank in range(world)]
    together = [[draw for part in parts for draw in part] for parts in zip(*shares, strict=True)]
    assert [[draw.record for draw in batch] for batch in together] == sampler.batches(epoch)
    positions = [draw.position for batch in together for draw in batch]
    assert positions == list(range(len(positions)))
    assert all(len(batch) == part * 4 for share in shares for batch in share)


def test_epochs_and_seeds_differ():
    labels = [index // 10 for index in range(200)]
    sampler = PKBatches(labels, 4, 4, 0)
    assert sampler.batches(0) != sampler.batches(1)
    assert sampler.batches(0) != PKBatches(labels, 4, 4, 1).batches(0)
    covered = {index for epoch in range(6) for batch in sampler.batches(epoch) for index in batch}
    assert covered == set(range(200))


def test_a_person_with_few_images_is_drawn_with_repetition():
    assert PKBatches([7], 1, 4, 0).batches(0) == [[0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("labels", "identities", "images", "seed", "says"),
    [
        ([0, 1], 3, 4, 0, "batches of 3 identities need as many to train on, there are 2; lower "),
        ([], 1, 2, 0, "there are 0"),
        ([0], 0, 4, 0, "identities_per_batch 0"),
        ([0], 1, 0, 0, "images_per_identity 0"),
        ([0], 1, 2, -1, "seed -1"),
        ([0, 0], 1, 1, 0, "sampling: one image in a batch, and batch normalisation needs two"),
    ],
)
def test_bad_settings(labels, identities, images, seed, says):
    with pytest.raises(ConfigError, match=says):
        PKBatches(labels, identities, images, seed)


def test_identities_that_cannot_be_shared_equally():
    with pytest.raises(ConfigError, match=r"20 identities .* by 3 processes"):
        PKBatches(list(range(20)), 20, 4, 0).share(0, rank=0, world=3)


def test_a_process_gets_more_than_one_image():
    sampler = PKBatches(list(range(4)), 4, 1, 0)
    assert len(sampler.share(0, rank=1, world=2)[0]) == 2
    with pytest.raises(ConfigError, match="one image in each of 4 processes"):
        sampler.share(0, rank=0, world=4)


def test_batches_stay_what_they_were():
    """A run that was begun with an earlier version goes on with the batches it would have had."""
    assert PKBatches([0, 0, 0, 1, 1, 2], 2, 2, 5).batches(1) == [[0, 2, 5, 5]]
    text = json.dumps(PKBatches([index % 7 for index in range(50)], 3, 4, 5).batches(2))
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "244d7e3c38406d68"


@st.composite
def grouped(draw):
    """Two to four data sets of different size, identities of which differ."""
    sets = draw(st.lists(st.integers(3, 9), min_size=2, max_size=4))
    labels, groups = [], []
    for group, identities in enumerate(sets):
        for _ in range(identities):
            images = draw(st.integers(1, 9))
            labels += [max(labels, default=-1) + 1] * images
            groups += [group] * images
    return labels, groups, draw(st.integers(1, 3)) * len(sets), draw(st.integers(1, 4))


@settings(max_examples=80, deadline=None)
@given(grouped(), st.integers(0, 99))
def test_every_batch_takes_as_many_identities_from_every_group(made, epoch):
    labels, groups, identities, images = made
    count = len(set(groups))
    sampler = PKBatches(labels, identities, images, 7, groups=groups)
    batches = sampler.batches(epoch)
    assert batches == PKBatches(labels, identities, images, 7, groups=groups).batches(epoch)
    for batch in batches:
        chunks = [batch[first : first + images] for first in range(0, len(batch), images)]
        assert all(len({labels[record] for record in chunk}) == 1 for chunk in chunks)
        assert len({labels[chunk[0]] for chunk in chunks}) == identities
        sources = [groups[chunk[0]] for chunk in chunks]
        assert sources == list(range(count)) * (identities // count)


def test_an_epoch_lasts_as_long_as_the_largest_group():
    """Three identities of 8 images are few beside ten: they start over, freshly shuffled."""
    labels = [index // 8 for index in range(13 * 8)]
    groups = [int(label >= 3) for label in labels]
    sampler = PKBatches(labels, 4, 4, 0, groups=groups)
    batches = sampler.batches(0)
    alone = PKBatches([label for label in labels if label >= 3], 2, 4, 0).batches(0)
    assert abs(len(batches) - len(alone)) <= 1
    drawn = Counter(record for batch in batches for record in batch)
    assert max(times for record, times in drawn.items() if groups[record] == 1) == 1
    assert min(drawn[record] for record in range(24)) >= 2
    small = [[record for record in batch if groups[record] == 0] for batch in batches]
    assert small[:2] != small[3:5]  # a pass of the small group is three batches at most


@pytest.mark.parametrize("world", [2, 3, 6])
def test_shares_of_groups_are_whole_and_fair(world):
    labels = [index // 4 for index in range(20 * 4)]
    groups = [int(label >= 10) for label in labels]
    sampler = PKBatches(labels, 12, 4, 1, groups=groups)
    shares = [sampler.share(3, rank, world) for rank in range(world)]
    together = [
        [draw.record for part in parts for draw in part] for parts in zip(*shares, strict=True)
    ]
    assert together == sampler.batches(3)
    for batch in (batch for share in shares for batch in share):
        assert set(Counter(labels[draw.record] for draw in batch).values()) == {4}
        assert Counter(groups[draw.record] for draw in batch) == {0: 24 // world, 1: 24 // world}


@pytest.mark.parametrize(
    ("groups", "identities", "says"),
    [
        ([0, 0, 1, 1, 2, 2], 4, "cannot be taken equally from 3 data sets"),
        ([0, 0, 0, 0, 0, 1], 4, "need 2 from each of 2 data sets, one set has 1"),
        ([0, 1, 0, 1, 0, 1], 2, "an identity is in two groups"),
    ],
)
def test_bad_groups(groups, identities, says):
    labels = [0, 0, 1, 2, 3, 4]
    with pytest.raises(ConfigError, match=says):
        PKBatches(labels, identities, 2, 0, groups=groups)
