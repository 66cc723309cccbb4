#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# picture.sh - docs/images/top.png: what `weir top` shows of conf/laptop.yaml on this machine, on a real terminal
#
# usage: [O=build] [SECONDS_SHOWN=8] picture.sh [FILE.png]
#
# Needs a build, tmux (the terminal), python3-pil and fonts-dejavu-core (Debian's names).
set -eu
cd "$(dirname "$0")/.."
weir=$(realpath "${O:-build}/weir")
picture=$(realpath -m "${1:-docs/images/top.png}")
config=$(realpath conf/laptop.yaml)
folder=$(mktemp -d)
agent=
terminal() { tmux -S "$folder/tmux" -f /dev/null "$@"; }
stop()
{
	terminal kill-server 2>/dev/null || true
	[ -z "$agent" ] || { kill "$agent" && wait "$agent"; } 2>/dev/null || true
	rm -rf "$folder"
}
trap stop EXIT
cd "$folder"

"$weir" run "$config" 2>log &
agent=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
	[ -S var/control.sock ] || sleep 0.5
done
terminal new-session -d -x 112 -y 34 "env LANG=C.UTF-8 TERM=tmux-256color '$weir' top --control var/control.sock 2>&1; cat log; sleep 60"
sleep "${SECONDS_SHOWN:-8}"
terminal capture-pane -e -p >text
grep -q "produced =" text || { echo "picture: weir top shows nothing:" >&2 && cat text >&2 && exit 1; }

/usr/bin/python3 - "$picture" <<'END'
import re
import sys
from PIL import Image, ImageDraw, ImageFont

SCALE, SIZE, MARGIN = 2, 14, 18
BACKGROUND, FOREGROUND, FRAME = (24, 26, 31), (212, 215, 221), (44, 48, 56)
COLOURS = [(90, 94, 104), (232, 93, 93), (120, 190, 110), (226, 180, 85), (100, 150, 230), (190, 130, 220), (90, 190, 195), FOREGROUND]
FONTS = [ImageFont.truetype(f"/usr/share/fonts/truetype/dejavu/DejaVuSansMono{style}.ttf", SIZE * SCALE) for style in ("", "-Bold")]

lines = [line for line in open("text", encoding="utf-8").read().split("\n")]
while lines and not re.sub(r"\x1b\[[0-9;]*m", "", lines[-1]).strip():
	lines.pop()
width = FONTS[0].getlength("M")
height = round(SIZE * SCALE * 1.36)
columns = max(len(re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip()) for line in lines)
margin = MARGIN * SCALE
bar = 26 * SCALE
image = Image.new("RGB", (round(columns * width) + 2 * margin, bar + len(lines) * height + 2 * margin), BACKGROUND)
draw = ImageDraw.Draw(image)
draw.rectangle((0, 0, image.width, bar), fill=FRAME)
for i, colour in enumerate(COLOURS[1:4]):
	x = margin + i * 18 * SCALE
	draw.ellipse((x, bar // 2 - 5 * SCALE, x + 10 * SCALE, bar // 2 + 5 * SCALE), fill=COLOURS[(1, 3, 2)[i]])
draw.text((image.width / 2, bar / 2), "weir top", font=FONTS[0], fill=(160, 165, 175), anchor="mm")
colour, bold = FOREGROUND, False
for y, line in enumerate(lines):
	x = 0
	for escape, text in re.findall(r"\x1b\[([0-9;]*)m|([^\x1b]+)", line):
		if text:
			draw.text((margin + x * width, bar + margin + y * height), text, font=FONTS[bold], fill=colour)
			x += len(text)
			continue
		for code in (int(c or 0) for c in escape.split(";")):
			if code == 0:
				colour, bold = FOREGROUND, False
			elif code == 1:
				bold = True
			elif 30 <= code <= 37:
				colour = COLOURS[code - 30]
			elif code == 39:
				colour = FOREGROUND
image.quantize(160, dither=Image.Dither.NONE).save(sys.argv[1], optimize=True)
END
echo "$picture"
