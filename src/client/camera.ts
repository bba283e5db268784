/** The camera: which one, its light, and that it is off whenever nobody looks. */

import type { Picture } from './read-code.ts';

/** Why there is no picture, in the words that the page has texts for. */
export type Trouble = 'no-permission' | 'no-camera' | 'busy' | 'failed';

/** By the names that browsers give (W3C Media Capture and Streams, section 10.2). */
const TROUBLES: Readonly<Record<string, Trouble>> = {
  NotAllowedError: 'no-permission',
  SecurityError: 'no-permission',
  NotFoundError: 'no-camera',
  OverconstrainedError: 'no-camera',
  NotReadableError: 'busy',
};

/** TypeScript's own lists leave the light out (W3C MediaStream Image Capture, section 6). */
type WithTorch<Of> = Of & { torch?: boolean };

export class Camera {
  readonly #video: HTMLVideoElement;
  readonly #onStopped: () => void;
  #track: MediaStreamTrack | undefined;
  /** The camera that was chosen, while this page lives; undefined for the one that looks away from the person. */
  #chosen: string | undefined;
  /** Who was started last: a picture that arrives for an earlier start comes too late. */
  #starts = 0;

  /** @param onStopped told where the picture ends by itself: unplugged, or taken away */
  constructor(video: HTMLVideoElement, onStopped: () => void) {
    this.#video = video;
    this.#onStopped = onStopped;
  }

  /** Whether pages have cameras here: insecure origins do not (W3C Media Capture and Streams, section 9.2). */
  static get isThere(): boolean {
    return navigator.mediaDevices !== undefined;
  }

  get isOn(): boolean {
    return this.#track !== undefined;
  }

  /** What it sees at this moment; undefined where there is no picture yet. */
  get picture(): Picture | undefined {
    const { readyState, videoWidth: width, videoHeight: height } = this.#video;
    if (!this.isOn || readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return undefined;
    return { source: this.#video, width, height };
  }

  /** @returns undefined once there is a picture, or where the camera is not wanted any more; else why there is none */
  async start(): Promise<Trouble | undefined> {
    this.stop();
    const start = this.#starts;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: this.#wanted() });
      if (start === this.#starts) await this.#show(stream);
      else for (const track of stream.getTracks()) track.stop();
      return undefined;
    } catch (error) {
      if (start !== this.#starts) return undefined;
      this.stop();
      return TROUBLES[error instanceof DOMException ? error.name : ''] ?? 'failed';
    }
  }

  async #show(stream: MediaStream): Promise<void> {
    const [track] = stream.getVideoTracks();
    this.#track = track;
    track?.addEventListener('ended', () => {
      if (this.#track !== track) return;
      this.stop();
      this.#onStopped();
    });
    this.#video.srcObject = stream;
    await this.#video.play();
  }

  stop(): void {
    this.#starts += 1;
    this.#track?.stop();
    this.#track = undefined;
    this.#video.srcObject = null;
  }

  get hasTorch(): boolean {
    const can: WithTorch<MediaTrackCapabilities> | undefined = this.#track?.getCapabilities?.();
    return can?.torch === true;
  }

  /** @returns whether the light is as it was wanted */
  async light(on: boolean): Promise<boolean> {
    const light: WithTorch<MediaTrackConstraintSet> = { torch: on };
    try {
      await this.#track?.applyConstraints({ advanced: [light] });
      return this.isOn;
    } catch {
      // Some say that they have a light, and have it in use, or none for this camera.
      return false;
    }
  }

  async hasOthers(): Promise<boolean> {
    return (await cameras()).length > 1;
  }

  /** Goes on with the next one. @returns as {@link start} */
  async change(): Promise<Trouble | undefined> {
    const start = this.#starts;
    const ids = await cameras();
    if (start !== this.#starts) return undefined;
    const at = ids.indexOf(this.#track?.getSettings().deviceId ?? '');
    this.#chosen = ids[(at + 1) % ids.length];
    return this.start();
  }

  /** None of it is a must: whatever camera there is can read a code. */
  #wanted(): MediaTrackConstraints {
    const which = this.#chosen === undefined ? { facingMode: 'environment' } : { deviceId: this.#chosen };
    return { ...which, width: { ideal: 1280 }, height: { ideal: 720 } };
  }
}

/** Their names for themselves; empty ones until a camera was allowed, none where the browser does not tell. */
async function cameras(): Promise<string[]> {
  const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  return devices.filter(({ kind }) => kind === 'videoinput').map(({ deviceId }) => deviceId);
}
