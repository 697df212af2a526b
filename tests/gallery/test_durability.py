"""What a gallery acknowledged is there, whoever is killed or works on it at the same time.

``scripts/gallery-drill`` does the same at length.
"""

from gallery.drill import drill_add, drill_erase, drill_re_embed, drill_together


def test_what_add_acknowledged_survives_kills(place, tmp_path):
    answered, there = drill_add(place, tmp_path, kills=2, seconds=0.3)
    assert 2 <= answered <= there <= answered + 2


def test_what_erase_acknowledged_survives_kills(place, tmp_path):
    answered, gone = drill_erase(place, tmp_path, kills=2, seconds=0.3, people=60)
    assert 2 <= answered <= gone <= answered + 2


def test_a_killed_re_embed_can_be_given_again(place, tmp_path):
    assert 0 <= drill_re_embed(place, tmp_path, kills=2, seconds=1.0) <= 2


def test_two_writers_and_two_readers(place):
    done, there = drill_together(place, seconds=3)
    assert there > 2
    assert all(count > 0 for _, count, _ in done)
