/**
 * The script of the scan page: reads the code that another device shows, and opens its address if it is one of ours.
 */
import { Adviser } from './camera/advice.ts';
import { Camera } from './camera/camera.ts';
import {
  canReadClipboard,
  type GivenContent,
  readClipboard,
  readGiven,
  transferredContent,
} from './camera/given-pictures.ts';
import { ownAddress, showText } from './camera/open-code.ts';
import { loadReader } from './camera/read-code.ts';
import { giveFeedback } from './phone/feedback.ts';

/**
 * The pause between two frames. It is longer if the last frame took longer to read, so that the page stays responsive.
 */
const PAUSE_MS = 100;

const page = find<HTMLElement>(document, '[data-codes]');
const view = find<HTMLElement>(page, '[data-viewfinder]');
const status = find<HTMLElement>(page, '[data-camera] [role=status]');
const start = find<HTMLButtonElement>(page, '[data-start]');
const tools = find<HTMLElement>(page, '[data-tools]');
const torch = find<HTMLButtonElement>(page, '[data-torch]');
const other = find<HTMLButtonElement>(page, '[data-switch]');
const photo = find<HTMLInputElement>(page, '[data-photo] input');
const photoStatus = find<HTMLElement>(page, '[data-photo] [role=status]');
/** Null in a deployment's own page that has no such button. */
const paste = page.querySelector<HTMLButtonElement>('[data-paste]');
const codes = { prefix: page.dataset.codes ?? '', length: Number(page.dataset.codeLength) };

const camera = new Camera(find<HTMLVideoElement>(view, 'video'), () => show('failed'));
const reader = loadReader();
// Mark the promise as handled: a failure is reported where the reader is used.
reader.catch(() => undefined);
/** True if the camera must be on while the page is visible. */
let wanted = false;
/** The permission for the camera; undefined if the browser does not report it. */
let permission: PermissionStatus | undefined;
let nextFrame: ReturnType<typeof setTimeout> | undefined;
let adviser = new Adviser(performance.now());
/** True if the element that had the focus was hidden. */
let focusIsLost = false;
/** True once the decoder has failed to load. Browsers remember a failed module, so only a reload fetches it again. */
let isIncomplete = false;

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
  adviser = new Adviser(performance.now());
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
  if (!Camera.isAvailable) return show('unsupported');
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
  const reading = picture && read.readFrame(picture);
  clearTimeout(nextFrame);
  if (reading !== undefined) {
    if (reading.text !== undefined && openIfOurs(reading.text, status)) return;
    const advice = adviser.after(reading, startedAt);
    // A deployment's own page may lack a text for this advice.
    showText(status, status.hasAttribute(`data-${advice}`) ? advice : 'looking');
  }
  nextFrame = setTimeout(readFrame, Math.max(PAUSE_MS, performance.now() - startedAt));
}

/** Reads a photo, or a copied picture or text, and shows under the button what was found in it. */
async function take(given: GivenContent): Promise<void> {
  showText(photoStatus, 'reading');
  const found = await readGiven(given, reader);
  if ('text' in found) return void openIfOurs(found.text, photoStatus);
  isIncomplete ||= found.problem === 'incomplete';
  showText(photoStatus, found.problem);
}

async function takePhoto(): Promise<void> {
  const [file] = photo.files ?? [];
  // Without this, choosing the same photo again would fire no event.
  photo.value = '';
  if (file !== undefined) await take(file);
}

async function takeFromClipboard(): Promise<void> {
  const given = await readClipboard();
  if (given === undefined) showText(photoStatus, 'nothing');
  else await take(given);
}

/** Reads pasted or dropped content, unless it is a text for the field, such as a backup code. */
function takeTransfer(event: Event, transfer: DataTransfer | null): void {
  const given = transferredContent(transfer);
  if (given === undefined) return;
  const isForField = event.target instanceof HTMLInputElement && event.target !== photo;
  if (typeof given === 'string' && isForField && ownAddress(given.trim(), codes) === undefined) return;
  event.preventDefault();
  void take(given);
}

/**
 * Opens the address in a code, if the code is this provider's.
 * @returns true if it opens the address
 */
function openIfOurs(text: string, where: HTMLElement): boolean {
  const address = ownAddress(text, codes);
  showText(where, address === undefined ? 'foreign' : 'found');
  if (address === undefined) return false;
  giveFeedback('done');
  location.assign(address);
  return true;
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
other.addEventListener('click', () => void turnOn(() => camera.startNext()));
torch.addEventListener('click', async () => {
  const on = torch.getAttribute('aria-pressed') !== 'true';
  if (await camera.setLight(on)) torch.setAttribute('aria-pressed', `${on}`);
});
photo.addEventListener('change', () => void takePhoto());
if (paste !== null) {
  paste.hidden = !canReadClipboard();
  paste.addEventListener('click', () => void takeFromClipboard());
}
document.addEventListener('paste', (event) => takeTransfer(event, event.clipboardData));
document.addEventListener('dragover', (event) => event.preventDefault());
document.addEventListener('drop', (event) => takeTransfer(event, event.dataTransfer));
document.addEventListener('visibilitychange', followVisibility);
// Some browsers fire no visibilitychange when the user leaves a page.
addEventListener('pagehide', stopCamera);
addEventListener('pageshow', (event) => {
  if (event.persisted) followVisibility();
});
void begin();
