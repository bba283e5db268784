/** The camera of the device: starts and stops it, switches its light, and changes to another camera. */

import type { Picture } from './read-code.ts';

/** The reason why there is no picture. The page has a text of the same name. */
export type Trouble = 'no-permission' | 'no-camera' | 'busy' | 'failed';

/** The reasons by the name of the DOMException (W3C Media Capture and Streams, section 10.2). */
const TROUBLES: Readonly<Record<string, Trouble>> = {
  NotAllowedError: 'no-permission',
  SecurityError: 'no-permission',
  NotFoundError: 'no-camera',
  OverconstrainedError: 'no-camera',
  NotReadableError: 'busy',
};

/** Adds the light, which TypeScript's DOM types lack (W3C MediaStream Image Capture, section 6). */
type WithTorch<T> = T & { torch?: boolean };

export class Camera {
  readonly #video: HTMLVideoElement;
  readonly #onStopped: () => void;
  #track: MediaStreamTrack | undefined;
  /** The id of the chosen camera, as long as this page lives; undefined for the one that faces away from the user. */
  #deviceId: string | undefined;
  /** Counts starts and stops. A stream that arrives for an earlier start is too late, and is stopped. */
  #starts = 0;

  /** @param onStopped called if the picture ends by itself: the camera was unplugged, or the permission was revoked */
  constructor(video: HTMLVideoElement, onStopped: () => void) {
    this.#video = video;
    this.#onStopped = onStopped;
  }

  /**
   * True if pages may use cameras here: on insecure origins they may not (W3C Media Capture and Streams, section 9.2).
   */
  static get isAvailable(): boolean {
    return navigator.mediaDevices !== undefined;
  }

  get isOn(): boolean {
    return this.#track !== undefined;
  }

  /** The current picture; undefined if there is none yet. */
  get picture(): Picture | undefined {
    const { readyState, videoWidth: width, videoHeight: height } = this.#video;
    if (!this.isOn || readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return undefined;
    return { source: this.#video, width, height };
  }

  /**
   * Starts the camera.
   * @returns undefined once there is a picture, or if the camera was stopped meanwhile; otherwise the reason why there
   * is none
   */
  async start(): Promise<Trouble | undefined> {
    this.stop();
    const start = this.#starts;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: this.#constraints() });
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

  /** Switches the light on or off. @returns true if the light is in the requested state */
  async setLight(on: boolean): Promise<boolean> {
    const light: WithTorch<MediaTrackConstraintSet> = { torch: on };
    try {
      await this.#track?.applyConstraints({ advanced: [light] });
      return this.isOn;
    } catch {
      // Some devices report a light although it is in use, or belongs to another camera.
      return false;
    }
  }

  /** Returns true if the device has more than one camera. */
  async hasOthers(): Promise<boolean> {
    return (await listCameraIds()).length > 1;
  }

  /** Switches to the next camera. @returns the same as {@link start} */
  async startNext(): Promise<Trouble | undefined> {
    const start = this.#starts;
    const ids = await listCameraIds();
    if (start !== this.#starts) return undefined;
    const at = ids.indexOf(this.#track?.getSettings().deviceId ?? '');
    this.#deviceId = ids[(at + 1) % ids.length];
    return this.start();
  }

  /** Returns preferences, and no requirements, because any camera can read a code. */
  #constraints(): MediaTrackConstraints {
    const which = this.#deviceId === undefined ? { facingMode: 'environment' } : { deviceId: this.#deviceId };
    return { ...which, width: { ideal: 1280 }, height: { ideal: 720 } };
  }
}

/**
 * Returns the ids of the cameras: empty texts until the user allows a camera, and none if the browser does not list
 * them.
 */
async function listCameraIds(): Promise<string[]> {
  const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  return devices.filter(({ kind }) => kind === 'videoinput').map(({ deviceId }) => deviceId);
}
