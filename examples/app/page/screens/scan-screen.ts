/** The screen with the camera: it reads the code on another device, from the camera, a photo or typed characters. */
import { Adviser } from '../../../../src/client/camera/advice.ts';
import { Camera } from '../../../../src/client/camera/camera.ts';
import { readGiven } from '../../../../src/client/camera/given-pictures.ts';
import { loadReader } from '../../../../src/client/camera/read-code.ts';
import { element } from '../dom.ts';
import type { Texts } from '../texts.ts';

/** The shortest pause between two frames. It is longer if a frame took longer to read. */
const PAUSE_MS = 100;
/** A refused code is not tried again within this time, so that the user can read the message. */
const SAME_CODE_PAUSE_MS = 3_000;

export interface ScanActs {
  /**
   * Claims the ticket of a code.
   * @returns the message for the user if that fails
   */
  readonly scan: (text: string) => Promise<string | undefined>;
  /** Does the same for typed characters, the backup code. */
  readonly type: (backupCode: string) => Promise<string | undefined>;
}

export class ScanScreen {
  readonly root: HTMLElement;
  readonly #t: Texts['t'];
  readonly #acts: ScanActs;
  readonly #camera: Camera;
  readonly #reader = loadReader();
  readonly #view: HTMLElement;
  readonly #status = element('p', { role: 'status', class: 'hint' });
  readonly #start: HTMLButtonElement;
  readonly #tools: HTMLElement;
  readonly #torch: HTMLButtonElement;
  readonly #otherCamera: HTMLButtonElement;
  readonly #end = new AbortController();
  #nextFrame: ReturnType<typeof setTimeout> | undefined;
  /** True if the camera must be on while the page is visible. */
  #mustBeOn = false;
  #adviser = new Adviser(performance.now());
  #refused: { readonly text: string; readonly at: number } | undefined;

  constructor({ t }: Texts, acts: ScanActs) {
    this.#t = t;
    this.#acts = acts;
    // Mark the promise as handled: a failure is reported where the reader is used.
    this.#reader.catch(() => undefined);
    const video = element('video', { playsinline: true, 'aria-label': t('scan.video') });
    video.muted = true;
    this.#camera = new Camera(video, () => this.#show('failed'));
    this.#view = element('div', { class: 'viewfinder', hidden: true }, video, element('span', { class: 'frame' }));
    this.#start = element('button', { class: 'primary', click: () => void this.#turnOn() }, t('scan.start'));
    this.#torch = element('button', { class: 'small', hidden: true, click: () => void this.#light() }, t('scan.torch'));
    this.#otherCamera = element(
      'button',
      { class: 'small', hidden: true, click: () => void this.#turnOn(() => this.#camera.startNext()) },
      t('scan.switch'),
    );
    this.#tools = element('div', { class: 'tools' }, this.#torch, this.#otherCamera);
    this.root = element(
      'section',
      { class: 'stack' },
      element('h1', { tabindex: '-1' }, t('scan.title')),
      element('p', { class: 'quiet' }, t('scan.text')),
      this.#view,
      this.#status,
      this.#start,
      this.#tools,
      this.#photoField(),
      this.#typedField(),
    );
    document.addEventListener('visibilitychange', () => this.#followVisibility(), { signal: this.#end.signal });
    void this.#begin();
  }

  /** Ends the screen: the camera goes off. */
  close(): void {
    this.#end.abort();
    this.#mustBeOn = false;
    this.#stop();
  }

  /** Starts the camera at once if the user has allowed it before. Otherwise the user presses a button first. */
  async #begin(): Promise<void> {
    if (!Camera.isAvailable) return this.#show('unsupported');
    this.#show('ready');
    // Some browsers know no permission of this name, and throw.
    const permission = await navigator.permissions?.query({ name: 'camera' }).catch(() => undefined);
    if (this.#end.signal.aborted) return;
    const follow = (): void => {
      if (this.#mustBeOn) return;
      if (permission?.state === 'denied') this.#show('no-permission');
      if (permission?.state === 'granted') void this.#turnOn();
    };
    permission?.addEventListener('change', follow, { signal: this.#end.signal });
    follow();
  }

  async #turnOn(begin: () => ReturnType<Camera['start']> = () => this.#camera.start()): Promise<void> {
    this.#mustBeOn = true;
    // A hidden page must not film the user. The camera goes on when the page is visible again.
    if (document.visibilityState !== 'visible') return;
    const hadFocus = document.activeElement === this.#start;
    this.#show('asking');
    const trouble = await begin();
    if (trouble !== undefined) {
      this.#mustBeOn = false;
      this.#show(trouble);
      if (hadFocus) this.#start.focus();
      return;
    }
    if (!this.#camera.isOn) return;
    this.#refused = undefined;
    this.#adviser = new Adviser(performance.now());
    this.#show('looking');
    this.#torch.setAttribute('aria-pressed', 'false');
    this.#torch.hidden = !this.#camera.hasTorch;
    this.#showTools();
    void this.#readFrame();
    // Some browsers take long to list the cameras.
    this.#otherCamera.hidden = !(await this.#camera.hasOthers());
    this.#showTools();
  }

  #showTools(): void {
    this.#tools.hidden = !this.#camera.isOn || (this.#torch.hidden && this.#otherCamera.hidden);
  }

  async #light(): Promise<void> {
    const on = this.#torch.getAttribute('aria-pressed') !== 'true';
    if (await this.#camera.setLight(on)) this.#torch.setAttribute('aria-pressed', `${on}`);
  }

  #followVisibility(): void {
    if (document.visibilityState !== 'visible') this.#stop();
    else if (this.#mustBeOn && !this.#camera.isOn) void this.#turnOn();
  }

  #stop(): void {
    clearTimeout(this.#nextFrame);
    this.#camera.stop();
  }

  /** Reads a frame, and schedules the next one. */
  async #readFrame(): Promise<void> {
    const read = await this.#reader.catch(() => undefined);
    if (read === undefined) {
      this.#mustBeOn = false;
      this.#stop();
      return this.#show('incomplete');
    }
    if (!this.#camera.isOn) return;
    const startedAt = performance.now();
    const { picture } = this.#camera;
    const reading = picture && read.readFrame(picture);
    const text = reading?.text;
    clearTimeout(this.#nextFrame);
    if (text !== undefined && !this.#wasRefused(text, startedAt)) {
      this.#say(this.#t('scan.found'));
      const refusal = await this.#acts.scan(text);
      if (refusal === undefined || this.#end.signal.aborted) return;
      this.#refused = { text, at: performance.now() };
      this.#say(refusal);
    }
    // A code that was refused has a message of its own, which stays until the user shows another code.
    if (reading !== undefined && text === undefined && this.#refused === undefined)
      this.#say(this.#t(`scan.${this.#adviser.after(reading, startedAt)}`));
    if (this.#camera.isOn) {
      const pause = Math.max(PAUSE_MS, performance.now() - startedAt);
      this.#nextFrame = setTimeout(() => void this.#readFrame(), Math.min(pause, SAME_CODE_PAUSE_MS));
    }
  }

  #wasRefused(text: string, now: number): boolean {
    return this.#refused?.text === text && now - this.#refused.at < SAME_CODE_PAUSE_MS;
  }

  /** Shows the current state of the camera, with the text of this name. */
  #show(name: string): void {
    this.#view.hidden = !this.#camera.isOn;
    this.#showTools();
    this.#start.hidden = this.#camera.isOn || ['asking', 'unsupported'].includes(name);
    this.#say(name === 'ready' ? '' : this.#t(`scan.${name}`));
  }

  /** Shows a message. The same text is not written again, because screen readers would repeat it. */
  #say(text: string): void {
    if (this.#status.textContent !== text) this.#status.textContent = text;
  }

  #photoField(): HTMLElement {
    const status = element('p', { role: 'status', class: 'hint' });
    const input = element('input', { type: 'file', accept: 'image/*', id: 'photo', class: 'sr-only' });
    input.addEventListener('change', async () => {
      const [file] = input.files ?? [];
      // Without this, choosing the same photo again would fire no event.
      input.value = '';
      if (file === undefined) return;
      status.textContent = this.#t('scan.reading');
      status.textContent = (await this.#readPhoto(file)) ?? '';
    });
    return element(
      'div',
      {},
      input,
      element('label', { class: 'button', for: 'photo' }, this.#t('scan.photo')),
      status,
    );
  }

  /**
   * Reads the code in a photo.
   * @returns the message for the user if there is no code of this provider in the photo
   */
  async #readPhoto(file: File): Promise<string | undefined> {
    const found = await readGiven(file, this.#reader);
    return 'text' in found ? this.#acts.scan(found.text) : this.#t(`scan.${found.problem}`);
  }

  #typedField(): HTMLElement {
    const mistake = element('p', { class: 'mistake', role: 'alert', id: 'typed-mistake' });
    const input = element('input', {
      id: 'typed',
      name: 'code',
      required: true,
      autocomplete: 'off',
      autocapitalize: 'characters',
      spellcheck: 'false',
      'aria-describedby': 'typed-how typed-mistake',
    });
    const submit = async (event: Event): Promise<void> => {
      event.preventDefault();
      mistake.textContent = '';
      mistake.textContent = (await this.#acts.type(input.value)) ?? '';
    };
    return element(
      'details',
      { class: 'typed' },
      element('summary', {}, this.#t('app.type')),
      element(
        'form',
        { submit: (event) => void submit(event) },
        element('p', { class: 'quiet', id: 'typed-how' }, this.#t('typing.how')),
        element('label', { for: 'typed' }, this.#t('typing.label')),
        element('div', { class: 'row' }, input, element('button', { class: 'primary' }, this.#t('typing.go'))),
        mistake,
      ),
    );
  }
}
