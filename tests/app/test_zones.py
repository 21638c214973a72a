"""Time zones by name."""

import pytest

from edgeinfer.app.zones import zone
from edgeinfer.errors import InputError


def test_a_zone_is_found_by_its_name():
    assert str(zone("Europe/Berlin")) == "Europe/Berlin"


@pytest.mark.parametrize("name", ["Europe/Berlln", "../etc/passwd", "", "Europe"])
def test_a_name_that_is_none_is_told(name):
    with pytest.raises(InputError, match=r"^zone: expected a time zone such as"):
        zone(name)


def test_the_nearest_name_is_told():
    with pytest.raises(InputError, match="did you mean 'Europe/Berlin'"):
        zone("Europe/Berlln")
