"""What is drawn of an element, as it is seen: what no computed style tells of a hatch."""

from base64 import b64encode
from typing import Final

from playwright.async_api import Locator

INK: Final = """async (one, picture) => {
  const image = new Image();
  image.src = `data:image/png;base64,${picture}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const drawing = canvas.getContext("2d");
  drawing.drawImage(image, 0, 0);
  const { data } = drawing.getImageData(0, 0, image.width, image.height);
  let dark = 0;
  for (let at = 0; at < data.length; at += 4) dark += data[at] + data[at + 1] + data[at + 2] < 384;
  return dark;
}"""
"""How many dark points a picture has."""


async def ink(drawn: Locator) -> int:
    """Give how much is drawn, as it is seen."""
    picture = b64encode(await drawn.screenshot()).decode()
    return int(await drawn.evaluate(INK, picture))
