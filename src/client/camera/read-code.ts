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
  /** The most pixels of the longer side. A larger picture is scaled down first. */
  readonly longest: number;
  /** The number of attempts if a code is hard to read. */
  readonly effort: number;
  /** The longest time for all attempts, in milliseconds. */
  readonly timeLimit: number;
}

/**
 * Loads the decoder.
 * @returns a function that reads a picture, and returns undefined if there is no code in it
 * @throws TypeError if the decoder cannot be loaded
 */
export async function loadReader(): Promise<(picture: Picture, effort: Effort) => string | undefined> {
  const { decodeQR } = await import('./decoder.ts');
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('this browser has no canvas');
  return ({ source, width, height }, { longest, ...budget }) => {
    const scale = Math.min(1, longest / Math.max(width, height));
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    context.drawImage(source, 0, 0, canvas.width, canvas.height);
    const image = context.getImageData(0, 0, canvas.width, canvas.height);
    try {
      return decodeQR(image, budget);
    } catch {
      // The decoder throws if it finds no code.
      return undefined;
    }
  };
}
