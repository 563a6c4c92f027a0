"""`python -m sandbox.make_scans`: draws the four scans in scans/ again; needs a font with Chinese characters."""

import subprocess

from PIL import Image, ImageDraw, ImageFont

from sandbox.downloads import FILES, SCANS

SIZE = (760, 540)


def draw(title: str, font: str) -> Image.Image:
    page = Image.new("RGB", SIZE, "#fbf7ea")
    pen = ImageDraw.Draw(page)
    small, large, huge = (ImageFont.truetype(font, size) for size in (22, 40, 150))
    pen.rectangle((20, 20, SIZE[0] - 20, SIZE[1] - 20), outline="#8a6d3b", width=3)
    pen.text((SIZE[0] / 2, 200), "样张", font=huge, fill="#f0d9c8", anchor="mt")
    pen.text((SIZE[0] / 2, 60), title, font=large, fill="#333333", anchor="mt")
    lines = (
        "名称：示例外贸（石家庄）有限公司",
        "统一社会信用代码：91130100PDY00001XG",
        "本图是样张，不是证件，不对应任何真实企业",
    )
    for number, line in enumerate(lines):
        pen.text((70, 170 + 60 * number), line, font=small, fill="#333333")
    return page


def main() -> None:
    command = ["fc-list", "--format=%{file}\n", ":lang=zh"]
    font = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[0]
    SCANS.mkdir(exist_ok=True)
    for name, words in FILES.items():
        if name.endswith((".png", ".jpg")):
            picture = draw(words.removesuffix("扫描件（样张）"), font)
            picture = picture.quantize(16) if name.endswith(".png") else picture
            picture.save(SCANS / name, quality=70, optimize=True)


if __name__ == "__main__":
    main()
