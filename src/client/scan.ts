/** The page with a camera: reads the code that another screen shows, and goes where it leads if that is one of ours. */
import { Camera } from './camera.ts';
import { type Effort, loadReader } from './read-code.ts';

/** A frame comes again; a photo does not. */
const FRAME: Effort = { longest: 640, effort: 4, timeLimit: 60 };
const PHOTO: Effort = { longest: 1600, effort: 1000, timeLimit: 1_000 };
/** Between two frames, in milliseconds; more where the last one took longer, so that the page stays at hand. */
const PAUSE = 100;
/** How long a foreign code is spoken of after it was last seen, in milliseconds: single frames fail to be read. */
const FOREIGN_STAYS = 3_000;

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
// Whoever needs it hears of it there.
reader.catch(() => undefined);
/** Whether the camera is to be on whenever somebody looks at the page. */
let wanted = false;
/** Whether that is allowed; undefined where the browser does not say. */
let permission: PermissionStatus | undefined;
let looking: ReturnType<typeof setTimeout> | undefined;
/** When a foreign code was last seen, while it is spoken of. */
let foreignSeen: number | undefined;
/** Whether what had the keyboard has been hidden since. */
let focusIsLost = false;
/** Whether it was said that the decoder has not arrived. Browsers remember that: only a new page fetches it again. */
let isIncomplete = false;

/** Says something, by the names of the texts in the template. What stands there already is not said again. */
function say(where: HTMLElement, name: string): void {
  const text = where.getAttribute(`data-${name}`) ?? '';
  if (where.textContent !== text) where.textContent = text;
}

/** Shows the camera as it is now, and says this of it. */
function show(name: string): void {
  const focused = document.activeElement;
  view.hidden = !camera.isOn;
  if (!camera.isOn) tools.hidden = true;
  start.hidden = camera.isOn || ['asking', 'starting', 'unsupported'].includes(name);
  say(status, name);
  keepFocus(focused);
}

/** Keyboards go on with the camera wherever the page hides what they were on, unless they are elsewhere by then. */
function keepFocus(focused: Element | null): void {
  if (focused !== null && focused !== document.body) focusIsLost = focused.closest('[hidden]') !== null;
  if (!focusIsLost) return;
  const heir = camera.isOn ? view : start;
  heir.focus();
  focusIsLost = document.activeElement !== heir;
}

async function turnOn(begin: () => ReturnType<Camera['start']> = () => camera.start()): Promise<void> {
  wanted = true;
  show(permission?.state === 'granted' ? 'starting' : 'asking');
  const trouble = await begin();
  if (trouble !== undefined) {
    wanted = false;
    return show(trouble);
  }
  // The person has gone elsewhere meanwhile.
  if (!camera.isOn) return;
  foreignSeen = undefined;
  show('looking');
  torch.setAttribute('aria-pressed', 'false');
  torch.hidden = !camera.hasTorch;
  tools.hidden = torch.hidden && other.hidden;
  void look();
  // Some browsers take their time to tell.
  other.hidden = !(await camera.hasOthers());
  if (camera.isOn) tools.hidden = torch.hidden && other.hidden;
}

/** Begins by itself only where the person has allowed it before: else the browser's question would come out of the blue. */
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
  followAttention();
}

/** Nobody is filmed by a page that they do not look at. */
function followAttention(): void {
  if (document.visibilityState === 'visible') {
    if (wanted && !camera.isOn) void turnOn();
  } else rest();
}

function rest(): void {
  clearTimeout(looking);
  camera.stop();
}

/** Looks at what the camera sees, again and again. */
async function look(): Promise<void> {
  const read = await reader.catch(() => undefined);
  if (read === undefined) {
    wanted = false;
    isIncomplete = true;
    rest();
    return show('incomplete');
  }
  if (!camera.isOn) return;
  const began = performance.now();
  const { picture } = camera;
  const text = picture && read(picture, FRAME);
  clearTimeout(looking);
  if (text !== undefined && follow(text, status)) return;
  if (text !== undefined) foreignSeen = began;
  else if (foreignSeen !== undefined && began - foreignSeen > FOREIGN_STAYS) {
    foreignSeen = undefined;
    say(status, 'looking');
  }
  looking = setTimeout(look, Math.max(PAUSE, performance.now() - began));
}

async function readPhoto(): Promise<void> {
  const [file] = photo.files ?? [];
  // The same photo may be chosen again.
  photo.value = '';
  if (file === undefined) return;
  say(photoStatus, 'reading');
  const [read, picture] = await Promise.all([
    reader.catch(() => undefined),
    createImageBitmap(file).catch(() => undefined),
  ]);
  if (read === undefined) {
    isIncomplete = true;
    return say(photoStatus, 'incomplete');
  }
  if (picture === undefined) return say(photoStatus, 'no-photo');
  const text = read({ source: picture, width: picture.width, height: picture.height }, PHOTO);
  picture.close();
  if (text === undefined) say(photoStatus, 'no-code');
  else follow(text, photoStatus);
}

/** Only to a code of this very provider: anything else that a camera sees may lead anywhere. @returns whether it goes there */
function follow(text: string, where: HTMLElement): boolean {
  const { codes = '', codeLength = '' } = page.dataset;
  const code = text.slice(codes.length);
  const isOurs = text.startsWith(codes) && code.length === Number(codeLength) && /^[\w-]+$/.test(code);
  say(where, isOurs ? 'found' : 'foreign');
  if (isOurs) location.assign(text);
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
document.addEventListener('visibilitychange', followAttention);
// Not every browser hides a page that is left.
addEventListener('pagehide', rest);
addEventListener('pageshow', (event) => {
  if (event.persisted) followAttention();
});
void begin();
