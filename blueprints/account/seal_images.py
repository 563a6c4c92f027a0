"""Seal images: cleaned from an upload or drawn here; always a PNG of 600 × 600 pixels on a transparent ground."""

import io
import math
import subprocess
from functools import cache

from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

from blueprints.common.numbers import Sentence

SIZE = 600  # pixels
LIMIT = 2 << 20  # bytes of an upload
MOST = 25_000_000  # pixels of an upload that is opened at all
LARGE = 2400  # pixels to which an upload is made smaller before anything else costs memory
LEAST = 100  # pixels of what is left after trimming
RED = (200, 22, 29, 255)
FINE = 2 * SIZE  # drawn twice as large, then made smaller: no steps in the edges
MIDDLE = FINE / 2
FONTS = "Noto Serif CJK SC,SimSun,Noto Sans CJK SC,WenQuanYi Micro Hei:lang=zh-cn"
FILES = ("msyh.ttc", "simsun.ttc", "NotoSansCJK-Regular.ttc", "wqy-microhei.ttc")  # where there is no fontconfig
LONGEST_COMPANY, LONGEST_PERSON = 40, 12  # characters that still can be read


class SealRefused(Exception):
    """No seal can be made of this; `sentence` says why and what to do."""

    def __init__(self, sentence: Sentence):
        super().__init__(sentence)
        self.sentence = sentence


def clean_upload(data: bytes) -> bytes:
    """A png or jpg as a seal: white made transparent, trimmed, scaled, encoded anew. Raises `SealRefused`."""
    if len(data) > LIMIT:
        raise SealRefused(Sentence("90702", "印章图片不能超过2M，请缩小或压缩后再传"))
    try:
        check_whole(data)
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as opened:
            if opened.width * opened.height > MOST:
                raise SealRefused(Sentence("90702", "印章图片的像素太多，请缩小到4000×4000以内再传"))
            opened.draft("RGB", (LARGE, LARGE))
            opened.thumbnail((LARGE, LARGE))
            picture = ImageOps.exif_transpose(opened).convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise SealRefused(
            Sentence("90701", "这个文件不是能打开的png或jpg图片，请换一个；矢量图请先另存为png")
        ) from error
    return _encoded(_trimmed(_without_white(picture)))


def check_whole(data: bytes) -> None:
    """Raises ValueError for a PNG or JPEG that was cut off: WeasyPrint has Pillow draw what is left of one."""
    is_png = data.startswith(b"\x89PNG")
    if b"IEND\xaeB`\x82" not in data if is_png else data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
        raise ValueError("cut off")


def _without_white(picture: Image.Image) -> Image.Image:
    """Pixels are let through the more, the nearer they come to white; colours stay."""
    red, green, blue, alpha = picture.split()
    darkest = ImageChops.darker(ImageChops.darker(red, green), blue)
    ink = darkest.point([255 if value <= 200 else max(0, round((245 - value) * 255 / 45)) for value in range(256)])
    return Image.merge("RGBA", (red, green, blue, ImageChops.darker(alpha, ink)))


def _trimmed(picture: Image.Image) -> Image.Image:
    box = picture.getchannel("A").point(lambda value: 255 if value > 16 else 0).getbbox()
    if box is None:
        raise SealRefused(Sentence("90707", "图片上除了白色什么也没有，请换一张印章清楚的图片"))
    if max(box[2] - box[0], box[3] - box[1]) < LEAST:
        raise SealRefused(Sentence("90707", "图片上的印章太小，请换一张至少100×100像素的"))
    return picture.crop(box)


def _encoded(picture: Image.Image) -> bytes:
    sheet = Image.new("RGBA", (SIZE, SIZE), (255, 255, 255, 0))
    fitted = ImageOps.contain(picture, (SIZE, SIZE))
    sheet.paste(fitted, ((SIZE - fitted.width) // 2, (SIZE - fitted.height) // 2))
    out = io.BytesIO()
    sheet.quantize(64, method=Image.Quantize.FASTOCTREE).save(out, "PNG", optimize=True)  # a fifth of the bytes
    return out.getvalue()


@cache
def _find_font() -> str | None:
    """File of a Chinese font of this machine: what fontconfig names, else a usual file of the system."""
    try:
        asked = subprocess.run(["fc-match", "-f", "%{file}", FONTS], capture_output=True, timeout=10, check=True)
        files = (asked.stdout.decode(), *FILES)
    except (OSError, subprocess.SubprocessError):
        files = FILES
    return next((file for file in files if _is_chinese(file)), None)


def _is_chinese(file: str) -> bool:
    try:
        return not _missing("公章", ImageFont.truetype(file, 40))
    except OSError:
        return False


def _missing(words: str, font: ImageFont.FreeTypeFont) -> str:
    """The characters that the font would draw as an empty box."""
    box = font.getmask("\U0010ffff")
    return "".join(dict.fromkeys(each for each in words if not each.isspace() and _same(font.getmask(each), box)))


def _same(glyph, other) -> bool:
    return glyph.size == other.size and bytes(glyph) == bytes(other)


def font_for(words: str) -> str:
    """The file of a font that has all of `words`. Raises `SealRefused`: nothing is drawn as boxes."""
    file = _find_font()
    if file is None:
        raise SealRefused(Sentence("90703", "这台服务器上没有中文字体，不能生成印章；请改选“上传图片”，或打客服热线"))
    if missing := _missing(words, ImageFont.truetype(file, 40)):
        raise SealRefused(Sentence("90704", "字体里没有“{letters}”，印章上画不出来；请改选“上传图片”", letters=missing))
    return file


def draw_round(company: str, word: str = "", code: str = "") -> bytes:
    """Name on an arc, star, `word` below it, `code` along the lower edge. Raises `SealRefused`."""
    company = "".join(company.split())
    if len(company) > LONGEST_COMPANY:
        raise too_long(LONGEST_COMPANY)
    file = font_for(company + word + code)
    sheet = Image.new("RGBA", (FINE, FINE), (*RED[:3], 0))
    pen = ImageDraw.Draw(sheet)
    pen.ellipse((8, 8, FINE - 8, FINE - 8), outline=RED, width=FINE // 36)
    pen.polygon(star(MIDDLE, MIDDLE, FINE * 0.15), fill=RED)
    step = min(24, 244 / max(len(company) - 1, 1))
    _write_arc(sheet, company, file, radius=FINE * 0.385, height=FINE * 0.125, step=step, is_upper=True)
    if word:
        _write_word(sheet, word, file, bottom=FINE * 0.75)
    if code:
        _write_arc(sheet, code, file, radius=FINE * 0.43, height=FINE * 0.045, step=4.6, is_upper=False)
    return _encoded(sheet)


def too_long(most: int) -> SealRefused:
    return SealRefused(Sentence("90708", "名称超过{most}个字，画在印章上看不清；请改选“上传图片”", most=most))


def star(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    """The ten corners of a five-pointed star standing on two of them."""
    inner = radius * math.sin(math.radians(18)) / math.sin(math.radians(54))
    turns = [(radius if corner % 2 == 0 else inner, math.radians(36 * corner - 90)) for corner in range(10)]
    return [(x + far * math.cos(turn), y + far * math.sin(turn)) for far, turn in turns]


def _glyph(letter: str, file: str, height: float) -> Image.Image:
    """One character on its own square, red on transparent."""
    side = round(height * 1.25)
    image = Image.new("RGBA", (side, side), (*RED[:3], 0))
    font = ImageFont.truetype(file, round(height))
    ImageDraw.Draw(image).text((side / 2, side / 2), letter, font=font, fill=RED, anchor="mm")
    return image


def _write_arc(sheet, words: str, file: str, *, radius: float, height: float, step: float, is_upper: bool) -> None:
    """Characters `step` degrees apart: above, feet to the middle; below, heads to the middle. Narrowed where they crowd."""
    room = 2 * radius * math.sin(math.radians(step / 2))
    for index, letter in enumerate(words):
        turn = (index - (len(words) - 1) / 2) * step
        glyph = _glyph(letter, file, height)
        glyph = glyph.resize((round(min(glyph.width, room * 1.2)), glyph.height), Image.Resampling.LANCZOS)
        glyph = glyph.rotate(-turn if is_upper else turn, Image.Resampling.BICUBIC, expand=True)
        lean, up = math.radians(turn), -1 if is_upper else 1
        x, y = MIDDLE + radius * math.sin(lean), MIDDLE + up * radius * math.cos(lean)
        sheet.alpha_composite(glyph, (round(x - glyph.width / 2), round(y - glyph.height / 2)))


def _write_word(sheet, word: str, file: str, *, bottom: float) -> None:
    font = ImageFont.truetype(file, round(FINE * min(0.09, 0.42 / len(word))))
    ImageDraw.Draw(sheet).text((MIDDLE, bottom), word, font=font, fill=RED, anchor="ms")


def draw_personal(name: str) -> bytes:
    """法定代表人名章: square, the name and 印 in two columns from right to left. Raises `SealRefused`."""
    name = "".join(name.split())
    if len(name) > LONGEST_PERSON:
        raise too_long(LONGEST_PERSON)
    words = name + ("印" if len(name) % 2 else "之印")
    file, rows = font_for(words), len(words) // 2
    sheet = Image.new("RGBA", (FINE, FINE), (*RED[:3], 0))
    ImageDraw.Draw(sheet).rectangle((8, 8, FINE - 8, FINE - 8), outline=RED, width=FINE // 24)
    room = FINE * 0.82
    for index, letter in enumerate(words):
        glyph = _glyph(letter, file, room / 2 * 0.95)
        glyph = glyph.resize((round(room / 2), round(room / rows)), Image.Resampling.LANCZOS)
        left = FINE * 0.09 + (room / 2 if index < rows else 0)
        sheet.alpha_composite(glyph, (round(left), round(FINE * 0.09 + room * (index % rows) / rows)))
    return _encoded(sheet)
