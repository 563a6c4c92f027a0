"""Previews of uploaded pictures: re-encoded, so that nothing but a picture leaves; phone photos turned upright (EXIF)."""

import io

from PIL import Image, ImageOps, UnidentifiedImageError

PICTURES = {"jpg", "png", "gif", "bmp"}
LONGEST = 1600  # pixels
MOST = {"JPEG": 100_000_000}  # pixels of a picture that is opened at all; a JPEG is read at a fraction of its size
MOST_OTHERS = 25_000_000


class NoPreview(Exception):
    """The file is no picture that can be drawn; it can only be downloaded."""


def preview_of(data: bytes) -> bytes:
    """JPEG, at most 1600 pixels long, upright. Raises `NoPreview`."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > MOST.get(picture.format, MOST_OTHERS):
                raise NoPreview("too many pixels")
            picture.draft("RGB", (LONGEST, LONGEST))
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((LONGEST, LONGEST))
            out = io.BytesIO()
            flat = Image.new("RGB", upright.size, "white")
            flat.paste(upright, mask=upright.getchannel("A") if upright.mode in ("RGBA", "LA") else None)
            flat.save(out, "JPEG", quality=85)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NoPreview(str(error)) from error
    return out.getvalue()
