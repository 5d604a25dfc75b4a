"""Builds the bundled fonts from Inter and JetBrains Mono: fewer characters, and the few signs that they lack.

    python tools/build_fonts.py FOLDER-OF-THE-ORIGINALS

Needs fontTools. The results lie in resources/fonts and are under the same licence as the originals (see there). They
have names of their own, so that an installed font of the original's name cannot change the pictures.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from fontTools.misc.transform import Transform
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

TARGET: Final = Path(__file__).resolve().parents[1] / "resources" / "fonts"
# the result: the original, and a bolder one whose letters keep their weight when made small
FONTS: Final = {
    "ChalkgraphSans-Regular.otf": ("Inter-Regular.otf", "Inter-SemiBold.otf"),
    "ChalkgraphSans-SemiBold.otf": ("Inter-SemiBold.otf", "Inter-ExtraBold.otf"),
    "ChalkgraphSans-Italic.otf": ("Inter-Italic.otf", "Inter-SemiBoldItalic.otf"),
    "ChalkgraphMono-Regular.ttf": ("JetBrainsMono-Regular.ttf", "JetBrainsMono-Bold.ttf"),
    "ChalkgraphMono-Bold.ttf": ("JetBrainsMono-Bold.ttf", "JetBrainsMono-ExtraBold.ttf"),
    "ChalkgraphMono-Italic.ttf": ("JetBrainsMono-Italic.ttf", "JetBrainsMono-BoldItalic.ttf"),
}
RANGES: Final = (
    *((0x20, 0x7F), (0xA0, 0x180), (0x1E00, 0x1F00), (0x300, 0x30D)),  # Latin
    *((0x370, 0x400), (0x400, 0x460)),  # Greek, Cyrillic
    *(
        (0x2010, 0x2045),
        (0x2070, 0x20A0),
        (0x20A0, 0x20C0),
        (0x2100, 0x2150),
    ),  # punctuation, raised and lowered
    *((0x2190, 0x2200), (0x2200, 0x2300), (0x2300, 0x2400), (0x2500, 0x2600)),  # arrows, mathematics, boxes
    *((0x2600, 0x27C0), (0x1D2C, 0x1D6B), (0x2B0, 0x300)),
)
FEATURES: Final = ("kern", "mark", "mkmk", "ccmp", "locl", "tnum")  # no ligatures: code shows what was typed
RAISED: Final = {"ᵀ": "T", "ʸ": "y", "ˣ": "x", "ⁿ": "n", "⁻": "−", "⁺": "+"}
LOWERED: Final = {"ᵢ": "i", "ⱼ": "j", "ₙ": "n", "ₓ": "x"}
SMALL: Final = 0.62

Part = tuple[TTFont, str, Transform]


def build(name: str, original: Path, bolder: Path) -> None:
    """Write one font: subset, complete, rename."""
    font, heavy = TTFont(original), TTFont(bolder)
    options = Options(layout_features=list(FEATURES), hinting=True, desubroutinize=True)
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=[code for first, end in RANGES for code in range(first, end)])
    subsetter.subset(font)
    height = font["OS/2"].sCapHeight
    for letters, rise in ((RAISED, height * (1 - SMALL)), (LOWERED, -0.12 * height)):
        for sign, letter in letters.items():
            if ord(sign) not in font.getBestCmap():
                _add_small(font, sign, heavy, letter, rise)
    if ord("⊙") not in font.getBestCmap():
        _add_circled_dot(font)
    _rename(font, "Chalkgraph Mono" if "Mono" in name else "Chalkgraph Sans", Path(name).stem.split("-")[1])
    font.save(TARGET / name)


def _add_small(font: TTFont, sign: str, heavy: TTFont, letter: str, rise: float) -> None:
    """Give the font a raised or lowered small letter."""
    advance = heavy["hmtx"][heavy.getBestCmap()[ord(letter)]][0]
    is_monospaced = bool(font["post"].isFixedPitch)
    left = advance * (1 - SMALL) / 2 if is_monospaced else 0
    width = advance if is_monospaced else round(advance * SMALL)
    _add(font, sign, [(heavy, letter, Transform(SMALL, 0, 0, SMALL, left, rise))], width)


def _add_circled_dot(font: TTFont) -> None:
    """Put a dot into the white circle that the font has."""
    circle, dot = _bounds(font, "○"), _bounds(font, "•")
    scale = 0.28 * (circle[2] - circle[0]) / (dot[2] - dot[0])
    shift = [(circle[i] + circle[i + 2]) / 2 - scale * (dot[i] + dot[i + 2]) / 2 for i in (0, 1)]
    parts = [(font, "○", Transform()), (font, "•", Transform(scale, 0, 0, scale, *shift))]
    _add(font, "⊙", parts, font["hmtx"][font.getBestCmap()[ord("○")]][0])


def _glyph(font: TTFont, character: str) -> Any:
    return font.getGlyphSet()[font.getBestCmap()[ord(character)]]


def _bounds(font: TTFont, character: str) -> tuple[float, float, float, float]:
    pen = BoundsPen(font.getGlyphSet())
    _glyph(font, character).draw(pen)
    return pen.bounds  # type: ignore[no-any-return]


def _add(font: TTFont, sign: str, parts: Sequence[Part], width: int) -> None:
    """Give the font a glyph for `sign`, put together from parts of fonts."""
    name = f"uni{ord(sign):04X}"
    is_cff = "CFF " in font
    pen = T2CharStringPen(width, None) if is_cff else TTGlyphPen(None)
    for source, character, transform in parts:
        outline = DecomposingRecordingPen(source.getGlyphSet())
        _glyph(source, character).draw(outline)
        outline.replay(TransformPen(pen, transform))
    if is_cff:
        cff = font["CFF "].cff
        top = cff.topDictIndex[0]
        charstring = pen.getCharString(private=top.Private, globalSubrs=cff.GlobalSubrs)
        top.charset.append(name)
        top.CharStrings.charStrings[name] = len(top.CharStrings.charStringsIndex)
        top.CharStrings.charStringsIndex.append(charstring)
        font.setGlyphOrder(list(top.charset))
    else:
        font["glyf"][name] = pen.glyph()
    font["hmtx"][name] = (width, 0)
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap[ord(sign)] = name
    font["hmtx"][name] = (width, round(_bounds(font, sign)[0]))


def _rename(font: TTFont, family: str, style: str) -> None:
    """Give the font its own name and keep the copyright and licence lines."""
    names = font["name"]
    plain = style in ("Regular", "Bold", "Italic")
    texts = {
        1: family if plain else f"{family} {style}",
        2: style if plain else "Regular",
        3: f"{family} {style}",
        4: f"{family} {style}",
        6: f"{family.replace(' ', '')}-{style}",
        16: family,
        17: style,
    }
    for name_id in (*texts, 18, 21, 22, 25):
        names.removeNames(nameID=name_id)
    for name_id, text in texts.items():
        names.setName(text, name_id, 3, 1, 0x409)
        names.setName(text, name_id, 1, 0, 0)
    if "CFF " in font:
        cff = font["CFF "].cff
        cff.fontNames = [texts[6]]
        cff.topDictIndex[0].FullName = texts[4]
        cff.topDictIndex[0].FamilyName = family


def main() -> None:
    """Build every font from the folder named on the command line."""
    parser = argparse.ArgumentParser(description="Build the bundled fonts.")
    parser.add_argument("originals", type=Path, help="a folder with the files of Inter and JetBrains Mono")
    folder = parser.parse_args().originals
    found = {path.name: path for path in folder.rglob("*.[ot]tf")}
    for name, (original, bolder) in FONTS.items():
        build(name, found[original], found[bolder])
        print(name, (TARGET / name).stat().st_size)


if __name__ == "__main__":
    main()
