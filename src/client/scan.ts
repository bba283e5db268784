/**
 * The script of the scan page: reads the code that another device shows, and opens its address if it is one of ours.
 */
import { Camera } from './camera/camera.ts';
import { type Effort, loadReader } from './camera/read-code.ts';
import { giveFeedback } from './phone/feedback.ts';

/** A frame of the camera gets little effort, because the next one follows at once. A photo comes only once. */
const FRAME: Effort = { longest: 640, effort: 4, timeLimit: 60 };
const PHOTO: Effort = { longest: 1600, effort: 1000, timeLimit: 1_000 };
/**
 * The pause between two frames. It is longer if the last frame took longer to read, so that the page stays responsive.
 */
const PAUSE_MS = 100;
/**
 * The message about a foreign code stays this long after the last frame with it, because some frames cannot be read.
 */
const FOREIGN_STAYS_MS = 3_000;

const page = find<HTMLElement>(document, '[data-codes]');
const view = find<HTMLElement>(page, '[data-viewfinder]');
const status = find<HTMLElement>(page, '[data-camera] [role=status]');
const start = find<HTMLButtonElement>(page, '[data-start]');
const tools = find<HTMLElement>(page, '[data-tools]');
const torch = find<HTMLButtonElement>(page, '[data-torch]');
const other = find<HTMLButtonElement>(page, '[data-switch]');
const photo = find<HTMLInputElement>(page, '[data-photo] input');
const photoStatus = find<HTMLElement>(page, '[data-photo] [role=status]');

const camera = new Camera(find<HTMLVideoElement>(view, 'video'), () => show('failed'));
const reader = loadReader();
// Mark the promise as handled: a failure is reported where the reader is used.
reader.catch(() => undefined);
/** True if the camera must be on while the page is visible. */
let wanted = false;
/** The permission for the camera; undefined if the browser does not report it. */
let permission: PermissionStatus | undefined;
let nextFrame: ReturnType<typeof setTimeout> | undefined;
/**
 * The time of the last frame with a foreign code, in milliseconds; undefined if the page shows no message about one.
 */
let foreignCodeAt: number | undefined;
/** True if the focused element has been hidden since. */
let focusIsLost = false;
/** True once the decoder has failed to load. Browsers remember a failed module, so only a reload fetches it again. */
let isIncomplete = false;

/**
 * Shows the text that the template has under this name. The same text is not written again, because screen readers
 * would repeat it.
 */
function showText(where: HTMLElement, name: string): void {
  const text = where.getAttribute(`data-${name}`) ?? '';
  if (where.textContent !== text) where.textContent = text;
}

/** Shows the current state of the camera, with the text of this name. */
function show(name: string): void {
  const focused = document.activeElement;
  view.hidden = !camera.isOn;
  if (!camera.isOn) tools.hidden = true;
  start.hidden = camera.isOn || ['asking', 'starting', 'unsupported'].includes(name);
  showText(status, name);
  keepFocus(focused);
}

/**
 * Moves the focus to the camera or its button if the focused element was hidden, unless the user has moved the focus.
 */
function keepFocus(focused: Element | null): void {
  if (focused !== null && focused !== document.body) focusIsLost = focused.closest('[hidden]') !== null;
  if (!focusIsLost) return;
  const target = camera.isOn ? view : start;
  target.focus();
  focusIsLost = document.activeElement !== target;
}

async function turnOn(begin: () => ReturnType<Camera['start']> = () => camera.start()): Promise<void> {
  wanted = true;
  show(permission?.state === 'granted' ? 'starting' : 'asking');
  const trouble = await begin();
  if (trouble !== undefined) {
    wanted = false;
    return show(trouble);
  }
  // The user has left the page meanwhile.
  if (!camera.isOn) return;
  foreignCodeAt = undefined;
  show('looking');
  torch.setAttribute('aria-pressed', 'false');
  torch.hidden = !camera.hasTorch;
  tools.hidden = torch.hidden && other.hidden;
  void readFrame();
  // Some browsers take long to list the cameras.
  other.hidden = !(await camera.hasOthers());
  if (camera.isOn) tools.hidden = torch.hidden && other.hidden;
}

/**
 * Starts the camera if the user has allowed it before. Otherwise the user presses a button first, so that the browser's
 * question does not come unexpectedly.
 */
async function begin(): Promise<void> {
  if (!Camera.isThere) return show('unsupported');
  show('ready');
  // Some browsers know no permission of this name, and throw.
  permission = await navigator.permissions?.query({ name: 'camera' }).catch(() => undefined);
  permission?.addEventListener('change', followPermission);
  followPermission();
}

function followPermission(): void {
  if (wanted) return;
  if (permission?.state === 'denied') show('no-permission');
  if (permission?.state !== 'granted') return;
  wanted = true;
  followVisibility();
}

/** Switches the camera on and off with the visibility of the page: a hidden page must not film the user. */
function followVisibility(): void {
  if (document.visibilityState === 'visible') {
    if (wanted && !camera.isOn) void turnOn();
  } else stopCamera();
}

function stopCamera(): void {
  clearTimeout(nextFrame);
  camera.stop();
}

/** Reads a frame, and schedules the next one. */
async function readFrame(): Promise<void> {
  const read = await reader.catch(() => undefined);
  if (read === undefined) {
    wanted = false;
    isIncomplete = true;
    stopCamera();
    return show('incomplete');
  }
  if (!camera.isOn) return;
  const startedAt = performance.now();
  const { picture } = camera;
  const text = picture && read(picture, FRAME);
  clearTimeout(nextFrame);
  if (text !== undefined && openIfOurs(text, status)) return;
  if (text !== undefined) foreignCodeAt = startedAt;
  else if (foreignCodeAt !== undefined && startedAt - foreignCodeAt > FOREIGN_STAYS_MS) {
    foreignCodeAt = undefined;
    showText(status, 'looking');
  }
  nextFrame = setTimeout(readFrame, Math.max(PAUSE_MS, performance.now() - startedAt));
}

async function readPhoto(): Promise<void> {
  const [file] = photo.files ?? [];
  // Without this, choosing the same photo again would fire no event.
  photo.value = '';
  if (file === undefined) return;
  showText(photoStatus, 'reading');
  const [read, picture] = await Promise.all([
    reader.catch(() => undefined),
    createImageBitmap(file).catch(() => undefined),
  ]);
  if (read === undefined) {
    isIncomplete = true;
    return showText(photoStatus, 'incomplete');
  }
  if (picture === undefined) return showText(photoStatus, 'no-photo');
  const text = read({ source: picture, width: picture.width, height: picture.height }, PHOTO);
  picture.close();
  if (text === undefined) showText(photoStatus, 'no-code');
  else openIfOurs(text, photoStatus);
}

/**
 * Opens the address in a code, if the code is this provider's. Any other code could lead to a harmful website.
 * @returns true if it opens the address
 */
function openIfOurs(text: string, where: HTMLElement): boolean {
  const { codes = '', codeLength = '' } = page.dataset;
  const code = text.slice(codes.length);
  const isOurs = text.startsWith(codes) && code.length === Number(codeLength) && /^[\w-]+$/.test(code);
  showText(where, isOurs ? 'found' : 'foreign');
  if (isOurs) {
    giveFeedback('done');
    location.assign(text);
  }
  return isOurs;
}

function find<E extends Element>(within: ParentNode, selector: string): E {
  const element = within.querySelector<E>(selector);
  if (element === null) throw new Error(`the page has no ${selector}`);
  return element;
}

start.addEventListener('click', () => {
  if (isIncomplete) location.reload();
  else void turnOn();
});
other.addEventListener('click', () => void turnOn(() => camera.change()));
torch.addEventListener('click', async () => {
  const on = torch.getAttribute('aria-pressed') !== 'true';
  if (await camera.light(on)) torch.setAttribute('aria-pressed', `${on}`);
});
photo.addEventListener('change', () => void readPhoto());
document.addEventListener('visibilitychange', followVisibility);
// Some browsers fire no visibilitychange when the user leaves a page.
addEventListener('pagehide', stopCamera);
addEventListener('pageshow', (event) => {
  if (event.persisted) followVisibility();
});
void begin();
