"""All rows of national numbers, one per form of a number."""

from __future__ import annotations

from workers.pii.africa_oceania import AFRICA_OCEANIA
from workers.pii.americas import AMERICAS
from workers.pii.asia import ASIA
from workers.pii.central_europe import CENTRAL_EUROPE
from workers.pii.europe import EUROPE
from workers.pii.germany import GERMANY
from workers.pii.northern_europe import NORTHERN_EUROPE
from workers.pii.plates import PLATES

ROWS = (*AFRICA_OCEANIA, *AMERICAS, *ASIA, *CENTRAL_EUROPE, *EUROPE, *GERMANY, *NORTHERN_EUROPE, *PLATES)
