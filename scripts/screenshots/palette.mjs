// PNG files with a palette: pictures of an app have few colours, and with 256 of them a file is a fraction as large and looks the
// same. Takes what Chromium writes: 8 bits, RGB or RGBA, not interlaced; opaque, because pages are.

import { crc32 as crc, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
const COLOURS = 256;

/** @param {Buffer} png @returns {Buffer} */
export function withPalette(png) {
  const { width, height, pixels } = decode(png);
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  // The rest are steps of smoothed edges, which have a near relation among the frequent ones.
  const palette = [...counts].sort((a, b) => b[1] - a[1]).slice(0, COLOURS).map(([pixel]) => pixel);
  const index = new Map([...counts.keys()].map((pixel) => [pixel, nearest(pixel, palette)]));
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = index.get(pixels[y * width + x]);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.from(palette.flatMap((pixel) => [pixel >> 16, (pixel >> 8) & 255, pixel & 255]));
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('PLTE', colours), chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0))]);
}

function nearest(pixel, palette) {
  const exact = palette.indexOf(pixel);
  if (exact >= 0) return exact;
  let best = 0;
  let least = Infinity;
  for (const [at, other] of palette.entries()) {
    const distance = ((pixel >> 16) - (other >> 16)) ** 2 + (((pixel >> 8) & 255) - ((other >> 8) & 255)) ** 2 + ((pixel & 255) - (other & 255)) ** 2;
    if (distance < least) [best, least] = [at, distance];
  }
  return best;
}

/** Pixels as 0xRRGGBB, row by row. */
function decode(png) {
  if (!png.subarray(0, 8).equals(SIGNATURE)) throw new Error('not a PNG file');
  const parts = [];
  let header;
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const data = png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
    const type = png.toString('latin1', at + 4, at + 8);
    if (type === 'IHDR') header = data;
    if (type === 'IDAT') parts.push(data);
  }
  const [depth, kind, , , interlaced] = header.subarray(8);
  if (depth !== 8 || (kind !== 2 && kind !== 6) || interlaced !== 0) throw new Error('a PNG file of another kind than Chromium writes');
  const width = header.readUInt32BE(0);
  const height = header.readUInt32BE(4);
  const size = kind === 2 ? 3 : 4;
  const stride = width * size;
  const raw = inflateSync(Buffer.concat(parts));
  const bytes = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) unfilter(raw, y * (stride + 1), bytes, y * stride, stride, size, y === 0);
  const pixels = new Uint32Array(width * height);
  for (let i = 0; i < pixels.length; i++) pixels[i] = (bytes[i * size] << 16) | (bytes[i * size + 1] << 8) | bytes[i * size + 2];
  return { width, height, pixels };
}

/** One row; the five filters are in the PNG specification, section 9. */
function unfilter(raw, from, bytes, to, stride, size, isFirst) {
  const filter = raw[from];
  for (let x = 0; x < stride; x++) {
    const left = x < size ? 0 : bytes[to + x - size];
    const up = isFirst ? 0 : bytes[to + x - stride];
    const corner = isFirst || x < size ? 0 : bytes[to + x - stride - size];
    const guess = [0, left, up, (left + up) >> 1, filter === 4 ? paeth(left, up, corner) : 0][filter];
    bytes[to + x] = raw[from + 1 + x] + guess;
  }
}

function paeth(left, up, corner) {
  const base = left + up - corner;
  const [a, b, c] = [Math.abs(base - left), Math.abs(base - up), Math.abs(base - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc(body), body.length + 4);
  return out;
}
