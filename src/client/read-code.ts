/** Reads a QR code from pixels. The decoder is large, and on its way while the person is still asked for the camera. */

/** What a canvas can draw, and its size in pixels. */
export interface Picture {
  readonly source: CanvasImageSource;
  readonly width: number;
  readonly height: number;
}

/** How much is spent on a picture. */
export interface Effort {
  /** Pixels of the longer side: a larger picture is made smaller first. */
  readonly longest: number;
  /** How many guesses are made where codes are hard to read, for that many milliseconds at most. */
  readonly effort: number;
  readonly timeLimit: number;
}

/** @returns what reads: undefined where there is no code in the picture. @throws where the decoder does not arrive */
export async function loadReader(): Promise<(picture: Picture, effort: Effort) => string | undefined> {
  const { decodeQR } = await import('./decoder.js');
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
      // This is how it says that it found none.
      return undefined;
    }
  };
}
