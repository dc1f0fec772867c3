"""Scripts: which one the letters of a text are from, and which languages are written in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workers.encoder.packing import Ints

# First and last code point of the blocks that hold a script's letters (Unicode's Blocks.txt). Letters elsewhere are in
# no script that a known language is written in.
_BLOCKS: dict[str, str] = {
    "Latin": "41-5A 61-7A C0-D6 D8-F6 F8-2AF 1D00-1DBF 1E00-1EFF 2C60-2C7F A720-A7FF AB30-AB6F FF21-FF3A FF41-FF5A",
    "Greek": "370-3FF 1F00-1FFF",
    "Cyrillic": "400-52F 1C80-1C8F 2DE0-2DFF A640-A69F",
    "Armenian": "530-58F",
    "Hebrew": "590-5FF FB1D-FB4F",
    "Arabic": "600-6FF 750-77F 870-8FF FB50-FDFF FE70-FEFE",
    "Devanagari": "900-963 966-97F A8E0-A8FF",
    "Bengali": "980-9FF",
    "Gurmukhi": "A00-A7F",
    "Gujarati": "A80-AFF",
    "Oriya": "B00-B7F",
    "Tamil": "B80-BFF",
    "Telugu": "C00-C7F",
    "Kannada": "C80-CFF",
    "Malayalam": "D00-D7F",
    "Sinhala": "D80-DFF",
    "Thai": "E00-E7F",
    "Lao": "E80-EFF",
    "Tibetan": "F00-FFF",
    "Myanmar": "1000-109F A9E0-A9FF AA60-AA7F",
    "Georgian": "10A0-10FF 1C90-1CBF 2D00-2D2F",
    "Hangul": "1100-11FF 3130-318F A960-A97F AC00-D7FF FFA0-FFDC",
    "Ethiopic": "1200-139F 2D80-2DDF AB00-AB2F",
    "Khmer": "1780-17FF",
    "Mongolian": "1800-18AF",
    "Kana": "3041-30FA 30FC-30FF 31F0-31FF FF66-FF9D",
    "Han": "2E80-2FDF 3005-3007 3100-312F 31A0-31BF 3400-4DBF 4E00-9FFF F900-FAFF 20000-3FFFF",
}
# Languages that are not written in Latin letters, or not only. Where in doubt, a language has one script more.
_LANGUAGES: dict[str, str] = {
    "Greek": "el grc",
    "Cyrillic": "az ba be bg bs crh kk ku ky mk mn ru sr tg tk tt ug uk uz",
    "Armenian": "hy",
    "Hebrew": "hbo he",
    "Arabic": "ace ar ary arz az crh fa fuv ha kab kk ku ms pa ps sdh so tg tk tt ug ur uz uzs",
    "Devanagari": "gom hi mr ne sa",
    "Bengali": "as bn",
    "Gurmukhi": "pa",
    "Gujarati": "gu",
    "Oriya": "or",
    "Tamil": "ta",
    "Telugu": "te",
    "Kannada": "gom kn",
    "Malayalam": "ml",
    "Sinhala": "si",
    "Thai": "th",
    "Lao": "lo",
    "Tibetan": "dz",
    "Myanmar": "my",
    "Georgian": "ka",
    "Hangul": "ko",
    "Ethiopic": "am om",
    "Khmer": "km",
    "Mongolian": "mn",
    "Kana": "ja",
    "Han": "ja ko wuu yue zh",
}
_BOTH = "ace az bs crh fuv gom ha kab kk ku ms om so sr tg tk tt ug uz"
"""Languages of ``_LANGUAGES`` that are also written in Latin letters."""
_KANA_SHARE = 0.25
"""The share of kana above which a text can only be Japanese; a short Chinese text may have a decorative one."""

NAMES = ("", *_BLOCKS)
"""The scripts by number; 0 is a text whose letters are in no known script."""
_KANA, _HAN = NAMES.index("Kana"), NAMES.index("Han")


def _numbers() -> NDArray[np.uint8]:
    """Return the script's number of each code point up to 3FFFF, 0 for none."""
    table = np.zeros(0x40000, np.uint8)
    for number, ranges in enumerate(_BLOCKS.values(), 1):
        for bounds in ranges.split():
            first, last = (int(bound, 16) for bound in bounds.split("-"))
            table[first : last + 1] = number
    return table


_TABLE = _numbers()


def scripts_of(texts: Sequence[str]) -> Ints:
    """Return the number of each text's script: the one that most of its letters are from, by their bytes in UTF-8.

    Bytes, because a letter of a script with more of them says more: a Chinese character is a word.
    """
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    numbers = _TABLE[np.minimum(points, len(_TABLE) - 1)] * (points < len(_TABLE))
    places = np.repeat(np.arange(len(texts)) * len(NAMES), lengths) + numbers
    sizes = 1 + (points >= 0x80) + (points >= 0x800)
    weights = np.bincount(places, sizes, len(texts) * len(NAMES)).reshape(len(texts), len(NAMES))
    weights[:, 0] = 0
    east = weights[:, _KANA] + weights[:, _HAN]
    japanese = weights[:, _KANA] > _KANA_SHARE * east
    weights[:, _KANA], weights[:, _HAN] = east * japanese, east * ~japanese
    numbers_of_texts: Ints = weights.argmax(axis=1)
    return numbers_of_texts


def written(languages: Sequence[str]) -> NDArray[np.bool_]:
    """Return ``[scripts, languages]``: whether a language is written in a script; ``zxx`` (none) is in all."""
    users = {script: frozenset(codes.split()) for script, codes in _LANGUAGES.items()}
    users["Latin"] = frozenset(languages) - (frozenset().union(*users.values()) - frozenset(_BOTH.split()))
    table = [[code == "zxx" or code in users.get(script, ()) for code in languages] for script in NAMES]
    return np.array(table, bool).reshape(len(NAMES), len(languages))
