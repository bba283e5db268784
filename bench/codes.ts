/**
 * Measures the cost of drawing a code, and checks that decoders read it. Masks are those of ISO/IEC 18004, section 7.8.
 * The figures are in docs/decisions/0030-the-page-draws.md.
 *
 *     node --import ./scripts/typescript.mjs bench/codes.ts
 */
import { randomBytes } from 'node:crypto';
import jsqr from 'jsqr';
import { encodeQR } from 'qr';
import { decodeQR } from 'qr/decode.js';
import QRCode, { type QRCodeMaskPattern } from 'qrcode';
import { QrImages } from '../src/http/ticket-view/qr-image.ts';

const COUNT = 2_000;
const ROUNDS = 3;
const MASK = 2;
const QUIET = 4;

const ISSUERS = ['https://id.example.com', 'https://login.accounts.corp.example.co.uk/oidc', 'http://localhost:3000'];

/** Returns addresses of the form that a provider puts into its codes. */
function makeAddresses(issuer: string, count: number): string[] {
  return Array.from({ length: count }, () => `${issuer}/qr/${randomBytes(34).toString('base64url')}`);
}

function create(url: string, mask?: QRCodeMaskPattern): ReturnType<typeof QRCode.create> {
  const options = { errorCorrectionLevel: 'M' as const, ...(mask !== undefined && { maskPattern: mask }) };
  return QRCode.create([{ data: Buffer.from(url), mode: 'byte' }], options);
}

const SVG = { type: 'svg', errorCorrectionLevel: 'M', margin: QUIET } as const;
const images = new QrImages();

const WAYS: Readonly<Record<string, (url: string) => unknown>> = {
  'qrcode, as it comes (SVG)': (url) => QRCode.toString(url, SVG),
  'qrcode, fixed mask (SVG)': (url) => QRCode.toString(url, { ...SVG, maskPattern: MASK }),
  'qrcode, bytes, mask searched (modules)': (url) => create(url),
  'qrcode, bytes, fixed mask (modules)': (url) => create(url, MASK),
  'qrcode, bytes, fixed mask, our writer (SVG): shipped': (url) => images.draw(url),
  'qr, as it comes (SVG)': (url) => encodeQR(url, 'svg', { ecc: 'medium', border: QUIET }),
  'qr, mask searched (modules)': (url) => encodeQR(url, 'raw', { ecc: 'medium', border: QUIET }),
  'qr, fixed mask (modules)': (url) => encodeQR(url, 'raw', { ecc: 'medium', border: QUIET, mask: MASK }),
};

/** Draws each address once. @returns CPU time per address in microseconds */
async function costOf(draw: (url: string) => unknown, urls: readonly string[]): Promise<number> {
  const before = process.cpuUsage();
  for (const url of urls) await draw(url);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / urls.length;
}

async function printCosts(): Promise<void> {
  const best = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, draw] of Object.entries(WAYS)) {
      const cost = await costOf(draw, makeAddresses('https://id.example.com', COUNT));
      best.set(name, Math.min(cost, best.get(name) ?? Number.POSITIVE_INFINITY));
    }
  }
  console.log(`\nCPU µs a code, ${COUNT} different addresses, best of ${ROUNDS} rounds:`);
  for (const [name, cost] of best) console.log(`${cost.toFixed(0).padStart(6)}  ${name}`);
}

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

/** Returns the code of an address as a camera would see it: small, or with the noise of dim light. */
function photograph(url: string, mask: QRCodeMaskPattern | undefined, how: (typeof PHOTOS)[number]): Picture {
  const { modules } = create(url, mask);
  const side = (modules.size + 2 * QUIET) * how.scale;
  const light = new Float64Array(side * side).fill(255);
  for (let at = 0; at < light.length; at++) {
    const [x, y] = [at % side, Math.floor(at / side)].map((place) => Math.floor(place / how.scale) - QUIET);
    const isInside = x !== undefined && y !== undefined && x >= 0 && y >= 0 && x < modules.size && y < modules.size;
    if (isInside && modules.data[y * modules.size + x] === 1) light[at] = 0;
  }
  const data = new Uint8ClampedArray(side * side * 4).fill(255);
  for (let at = 0; at < light.length; at++)
    data.fill((light[at] ?? 255) + (Math.random() - 0.5) * 2 * how.noise, at * 4, at * 4 + 3);
  return { width: side, height: side, data };
}

/** `scale` is in pixels per module; `noise` is the largest error in a pixel's brightness (0 to 255). */
const PHOTOS = [
  { name: '2 pixels a module', scale: 2, noise: 0 },
  { name: '3 pixels a module, noise', scale: 3, noise: 60 },
] as const;

const DECODERS: Readonly<Record<string, (picture: Picture) => string | undefined>> = {
  jsqr: ({ data, width, height }) => jsqr.default(data, width, height, { inversionAttempts: 'dontInvert' })?.data,
  qr: (picture) => {
    try {
      return decodeQR(picture);
    } catch {
      return undefined;
    }
  },
};

/** Prints, for each decoder and kind of photo, how many codes it fails to read. The addresses are the same for all. */
function printMisreadings(): void {
  const urls = ISSUERS.flatMap((issuer) => makeAddresses(issuer, Math.ceil(COUNT / ISSUERS.length)));
  console.log(`\nNot read, of ${urls.length} codes (mask searched / mask ${MASK}):`);
  for (const photo of PHOTOS) {
    for (const [name, decode] of Object.entries(DECODERS)) {
      const missed = [undefined, MASK].map((mask) => {
        return urls.filter((url) => decode(photograph(url, mask as QRCodeMaskPattern | undefined, photo)) !== url)
          .length;
      });
      console.log(`${missed.join(' / ').padStart(12)}  ${name}, ${photo.name}`);
    }
  }
}

await printCosts();
printMisreadings();
