/**
 * Reads a QR code from pixels. The decoder is large, so it loads while the browser still asks the user for the camera.
 */

/** An image that a canvas can draw, and its size in pixels. */
export interface Picture {
  readonly source: CanvasImageSource;
  readonly width: number;
  readonly height: number;
}

/** Limits for the search in one picture. */
export interface Effort {
  /** The part that is searched: all of it, or the square in its middle, which is what a viewfinder shows. */
  readonly part: 'whole' | 'square';
  /** The most pixels of the part's longer side. A larger part is scaled down first. */
  readonly longest: number;
  /** The number of attempts if a code is hard to read. */
  readonly effort: number;
  /** The longest time for all attempts, in milliseconds. */
  readonly timeLimit: number;
}

/**
 * The searches in the frames of a camera, in turn. The whole frame must be scaled down, which can make a small code
 * unreadable. The square keeps nearly every pixel, but lacks the edges. Each frame gets little effort, because the next
 * one follows at once.
 */
const FRAMES: readonly Effort[] = [
  { part: 'square', longest: 720, effort: 4, timeLimit: 60 },
  { part: 'whole', longest: 640, effort: 4, timeLimit: 60 },
];
/** The search in a photo. It gets more effort, because no other frame follows. */
const PHOTO: Effort = { part: 'whole', longest: 1600, effort: 1000, timeLimit: 1_000 };

/** The result of a search. */
export interface Reading {
  /** The text in the code; undefined if no code could be read. */
  readonly text: string | undefined;
  /** True if there is something like a code that is too small, too blurred or too dark to be read. */
  readonly isUnclear: boolean;
}

export interface Reader {
  /** Reads a frame of the camera. */
  readonly readFrame: (frame: Picture) => Reading;
  /** Reads a photo. */
  readonly readPhoto: (photo: Picture) => Reading;
}

/**
 * Loads the decoder.
 * @throws TypeError if the decoder cannot be loaded
 */
export async function loadReader(): Promise<Reader> {
  const { decodeQR } = await import('./decoder.ts');
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('this browser has no canvas');
  let frames = 0;

  const read = ({ source, width, height }: Picture, { part, longest, ...budget }: Effort): Reading => {
    const side = Math.min(width, height);
    const [w, h] = part === 'square' ? [side, side] : [width, height];
    const scale = Math.min(1, longest / Math.max(w, h));
    canvas.width = Math.max(1, Math.round(w * scale));
    canvas.height = Math.max(1, Math.round(h * scale));
    context.drawImage(source, (width - w) / 2, (height - h) / 2, w, h, 0, 0, canvas.width, canvas.height);
    const image = context.getImageData(0, 0, canvas.width, canvas.height);
    let isUnclear = false;
    const pointsOnDetect = (): void => {
      isUnclear = true;
    };
    try {
      return { text: decodeQR(image, { ...budget, pointsOnDetect }), isUnclear: false };
    } catch {
      // The decoder throws if it finds no code.
      return { text: undefined, isUnclear };
    }
  };

  return {
    readFrame: (frame) => read(frame, FRAMES[frames++ % FRAMES.length] ?? PHOTO),
    readPhoto: (photo) => read(photo, PHOTO),
  };
}
